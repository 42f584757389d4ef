from odoo.tests import HttpCase, tagged

from odoo.addons.sale_subscription.tests.common import SubscriptionCase

from ..calls import calls


@tagged("post_install", "-at_install")
class TestSubscriptionNamesPortal(SubscriptionCase, HttpCase):
    def test_page(self):
        order = self._create_subscription()
        reasons = self.env["sale.order.close.reason"].search([])
        hidden = reasons - reasons._get_unpaid_reason()
        hidden[0].visible_in_portal = False
        self.plan.user_closable = True
        calls.clear()
        token = order._portal_ensure_token()
        page = self.url_open(f"/my/subscriptions/{order.id}?access_token={token}").text
        self.assertIn("content_of_names", page)
        self.assertEqual(calls["subscription of an order"], 1)
        self.assertNotIn(hidden[0].name, page)
        self.assertIn(hidden[1].name, page)
        # Somebody without the token is sent away, and that has no order.
        self.url_open(f"/my/subscriptions/{order.id}?access_token=wrong")
        self.assertEqual(calls["subscription of an order"], 1)
