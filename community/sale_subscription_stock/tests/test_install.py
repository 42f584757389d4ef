from odoo.tests import tagged

from ..hooks import post_init_hook
from .common import DeliveryCase


@tagged("post_install", "-at_install")
class TestInstall(DeliveryCase):
    def test_what_was_charged_before_is_not_delivered_afterwards(self):
        """Installed in March beside a subscription that was delivered once."""
        order = self._subscribe()
        self._run_cron("2026-01-01")
        new = self._subscribe(start="2026-01-20")
        for line in (order | new).order_line:
            line.write({"procured_until": False, "procured_quantity": 0})
        post_init_hook(self.env)
        self.assertEqual(str(order.order_line.procured_until), "2026-02-01")
        self.assertFalse(new.order_line.procured_until)
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 3)
        self.assertDeliveries(new, 3)
