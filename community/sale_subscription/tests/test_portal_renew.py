from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .portal_common import PortalCase

# A picture of one point
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestPortalRenew(PortalCase):
    def _renew(self, order=None, **data):
        return self._post("renew", data, order)

    def test_confirmed_at_once_when_nothing_is_to_be_accepted(self):
        self._sign_in(self.ann)
        response = self._renew()
        renewal = self.order.subscription_child_ids
        self.assertLeadsTo(response, f"/my/subscriptions/{renewal.id}")
        self.assertEqual(renewal.subscription_state, "3_progress")
        self.assertEqual(renewal.start_date, self.next_date)
        self.assertEqual(self.order.subscription_state, "5_renewed")
        self.assertTrue(renewal.requested_by_customer)
        note = "requested the renewal " + renewal.name
        self.assertIn(note, self._notes())
        page = self._read(self.url_open(response.headers["Location"]))
        self.assertIn("message_renewal", page)

    def test_offered_when_it_is_to_be_signed(self):
        self.company.portal_confirmation_sign = True
        self._sign_in(self.ann)
        response = self._renew()
        renewal = self.order.renewal_id
        self.assertLeadsTo(response, f"/my/orders/{renewal.id}")
        self.assertEqual(
            (renewal.state, renewal.subscription_state), ("sent", "2_renewal")
        )
        self.assertEqual(self.order.subscription_state, "3_progress")
        text = self.url_open(response.headers["Location"]).text
        self.assertIn("Accept & Sign", text)
        self.assertIn("This renews your subscription", text)

    def test_signed_there_it_runs(self):
        self.company.portal_confirmation_sign = True
        self._sign_in(self.ann)
        self._renew()
        renewal = self.order.renewal_id
        self.make_jsonrpc_request(
            f"/my/orders/{renewal.id}/accept",
            {
                "access_token": renewal.access_token,
                "name": "Ann",
                "signature": PIXEL,
            },
        )
        self.assertEqual(renewal.subscription_state, "3_progress")
        self.assertEqual(self.order.subscription_state, "5_renewed")

    def test_offered_when_it_is_to_be_paid(self):
        self.company.portal_confirmation_pay = True
        self._sign_in(self.ann)
        self._renew()
        self.assertEqual(self.order.renewal_id.state, "sent")

    def test_twice_makes_one(self):
        self.company.portal_confirmation_sign = True
        self._sign_in(self.ann)
        first, second = self._renew(), self._renew()
        self.assertEqual(first.headers["Location"], second.headers["Location"])
        self.assertEqual(len(self.order.subscription_child_ids), 1)
        self.assertIn("There is already an offer", self._get(self.url).text)

    def test_twice_makes_one_that_runs(self):
        self._sign_in(self.ann)
        self._renew()
        self.assertLeadsTo(self._renew(), self.url)
        self.assertEqual(len(self.order.subscription_child_ids), 1)

    def test_offer_of_a_salesperson_is_shown_not_confirmed(self):
        renewal = self.order._create_upsell_renew_order("2_renewal")
        renewal.order_line.price_unit = 8
        self._sign_in(self.ann)
        self.assertLeadsTo(self._renew(), f"/my/orders/{renewal.id}")
        self.assertEqual(renewal.state, "sent")
        self.assertEqual(self.order.subscription_child_ids, renewal)

    def test_expired_offer_is_replaced(self):
        old = self.order._create_upsell_renew_order("2_renewal")
        old.action_quotation_sent()
        old.validity_date = self.today - timedelta(days=1)
        self._sign_in(self.ann)
        self._renew()
        self.assertEqual(old.state, "cancel")
        self.assertEqual(self.order.renewal_id.subscription_state, "3_progress")

    def test_paused_and_closed_ones(self):
        paused, closed = self.order, self._create_invoiced()
        paused.pause_subscription()
        closed.set_close(self.reason.id)
        self._sign_in(self.ann)
        for order in (paused, closed):
            self._renew(order)
            self.assertEqual(order.renewal_id.subscription_state, "3_progress")

    def test_holder_of_the_token(self):
        self._sign_in(None)
        response = self._renew(access_token=self.token)
        renewal = self.order.renewal_id
        self.assertEqual(renewal.subscription_state, "3_progress")
        self.assertIn(renewal.access_token, response.headers["Location"])

    def test_nobody_else(self):
        for user, data in (
            (self.bob, {}),
            (None, {}),
            (None, {"access_token": "wrong"}),
        ):
            self._sign_in(user)
            self.assertLeadsTo(self._renew(**data), "/my")
        self.assertFalse(self.order.subscription_child_ids)

    def test_not_unless_the_plan_allows_it(self):
        self.plan.user_extend = False
        self._sign_in(self.ann)
        self.assertNotIn("renew", self._page())
        self.assertIn("message=refused", self._renew().headers["Location"])
        self.assertFalse(self.order.subscription_child_ids)

    def test_not_on_a_plan_that_is_not_sold_any_more(self):
        self.plan.active = False
        self._sign_in(self.ann)
        self.assertNotIn("renew", self._page())
        self._renew()
        self.assertFalse(self.order.subscription_child_ids)

    def test_nothing_is_left_of_what_fails(self):
        """A draft invoice of the next period bars the way: see `_start_renewal`."""
        self.plan.invoice_posting = "draft"
        self._run_cron(self.next_date)
        self.assertEqual(self.order.invoice_ids[-1].state, "draft")
        self._sign_in(self.ann)
        self.assertIn("message=refused", self._renew().headers["Location"])
        self.assertFalse(self.order.subscription_child_ids)
        self.assertNotIn("requested", self._notes())
        self.assertIn("message_refused", self._page(message="refused"))

    @mute_logger("odoo.addons.sale_subscription.models.portal.order_portal")
    def test_renewed_though_the_confirmation_cannot_be_sent(self):
        """A server that cannot make PDFs, for example."""
        self._sign_in(self.ann)
        sending = patch.object(
            type(self.order), "_send_order_confirmation_mail", side_effect=UserError("")
        )
        with sending:
            self._renew()
        self.assertEqual(self.order.subscription_state, "5_renewed")

    def test_looking_renews_nothing(self):
        self._sign_in(self.ann)
        self.assertEqual(self._get(f"{self.url}/renew").status_code, 405)
        self.assertFalse(self.order.subscription_child_ids)
