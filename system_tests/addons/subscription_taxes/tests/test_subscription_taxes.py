from odoo.tests import HttpCase, tagged

from odoo.addons.sale_subscription.tests.common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestTaxes(SubscriptionCase, HttpCase):
    def test_run_and_page(self):
        """Asked when the invoice is made, when the run is over, and on the page."""
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        self.assertEqual(order.taxes_asked_for, 2)
        url = (
            f"/my/subscriptions/{order.id}?access_token={order._portal_ensure_token()}"
        )
        self.assertEqual(self.url_open(url).status_code, 200)
        self.assertEqual(order.taxes_asked_for, 102)
