from odoo.tests import tagged

from odoo.addons.sale_subscription.tests.common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestDelegated(SubscriptionCase):
    def test_only_the_others_are_invoiced(self):
        there = self._create_subscription(is_delegated=True)
        here = self._create_subscription()
        self._run_cron("2026-01-01")
        self.assertFalse(there.invoice_ids)
        self.assertEqual(here.invoice_ids.state, "posted")
        self.assertIn("Invoiced here", here.message_ids[0].body)
