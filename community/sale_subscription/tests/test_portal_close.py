from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from .portal_common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalClose(PortalCase):
    def _close(self, reason=None, order=None, **data):
        reason = self.reason if reason is None else reason
        data.setdefault("close_reason_id", reason and reason.id)
        return self._post("close", data, order)

    def _messages_of(self, author):
        messages = self.order.message_ids.sorted("id")
        return messages.filtered(lambda m: m.author_id == author)

    def assertClosed(self, order=None):
        self.assertEqual((order or self.order).subscription_state, "6_churn")

    def assertStillRuns(self, order=None):
        order = order or self.order
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertFalse(order.close_reason_id)

    def test_customer_closes(self):
        self._sign_in(self.ann)
        response = self._close(feedback="Too much <b>money</b>\nfor me")
        self.assertLeadsTo(response, self.url)
        self.assertClosed()
        self.assertEqual(self.order.close_reason_id, self.reason)
        self.assertEqual(self.order.end_date, self.today)
        self.assertIn("message_closed", self._page(message="closed"))
        self.assertLog(self.order, ("new", 43.48), ("churn", -43.48))

    def test_chatter_says_who_closed_it_and_why(self):
        self._sign_in(self.ann)
        self._close(feedback="Too much <b>money</b>\nfor me")
        note, comment = self._messages_of(self.ann.partner_id)
        self.assertIn("The customer closed the subscription.", note.body)
        self.assertIn("Done on the portal by Ann", note.body)
        self.assertEqual(note.subtype_id, self.env.ref("mail.mt_note"))
        self.assertEqual(comment.subtype_id, self.env.ref("mail.mt_comment"))
        self.assertIn("Too much &lt;b&gt;money&lt;/b&gt;<br>for me", comment.body)

    def test_no_feedback_is_no_message(self):
        self._sign_in(self.ann)
        before = self.order.message_ids
        self._close(feedback="  \n ")
        comment = self.env.ref("mail.mt_comment")
        added = self.order.message_ids - before
        self.assertFalse(added.filtered(lambda m: m.subtype_id == comment))

    def test_paused_one(self):
        self.order.pause_subscription()
        self._sign_in(self.ann)
        self._close()
        self.assertClosed()

    def test_holder_of_the_token(self):
        """As in Odoo's sale, where who has the link may sign."""
        self._sign_in(None)
        response = self._close(access_token=self.token)
        self.assertLeadsTo(response, self.url)
        self.assertIn(self.token, response.headers["Location"])
        self.assertClosed()
        [note] = self._messages_of(self.partner)
        self.assertIn("by the link, without signing in", note.body)

    def test_colleague(self):
        colleague = self._create_portal_user("cia_portal", "Cia")
        colleague.partner_id.parent_id = self.partner
        self._sign_in(colleague)
        self._close()
        self.assertClosed()

    def test_nobody_else(self):
        foreign = self._create_invoiced(partner_id=self.bob.partner_id.id)
        for user, token in (
            (self.bob, None),
            (self.bob, "wrong"),
            (self.bob, foreign._portal_ensure_token()),
            (None, None),
            (None, "wrong"),
            (None, foreign._portal_ensure_token()),
        ):
            self._sign_in(user)
            data = {"access_token": token} if token else {}
            with self.subTest(user=user, token=token):
                self.assertLeadsTo(self._close(**data), "/my")
                self.assertStillRuns()
                self.assertNotIn("customer closed", self._notes())

    def test_not_unless_the_plan_allows_it(self):
        self.plan.user_closable = False
        self._sign_in(self.ann)
        page = self._page()
        self.assertNotIn("close", page)
        self.assertNotIn("confirm_close", page)
        response = self._close(feedback="I insist")
        self.assertIn("message=refused", response.headers["Location"])
        self.assertStillRuns()
        self.assertNotIn("I insist", self._notes())

    def test_reasons_offered(self):
        """Not the one of automatic closing, and not what is archived."""
        unpaid = self.env.ref("sale_subscription.close_reason_unpaid")
        archived = self.env.ref("sale_subscription.close_reason_competitor")
        archived.active = False
        self._sign_in(self.ann)
        offered = self._page()["choose_reason"]
        self.assertIn("Too expensive", offered)
        self.assertNotIn(unpaid.name, offered)
        self.assertNotIn(archived.name, offered)
        for value in (unpaid.id, archived.id, 10**12, "0", "", "1 or 1", "-1"):
            with self.subTest(value=value):
                response = self._close(close_reason_id=value)
                self.assertIn("message=refused", response.headers["Location"])
                self.assertStillRuns()

    def test_without_any_reason_to_offer(self):
        self.env["sale.order.close.reason"]._get_offered_reasons().active = False
        self._sign_in(self.ann)
        self.assertIn("confirm_close", self._page())
        self._close(close_reason_id="")
        self.assertClosed()

    def test_retention_texts(self):
        self.reason.write(
            {
                "retention_message": "<p>Stay for <b>half</b></p><script>x()</script>",
                "retention_button_text": "Half <price>",
                "retention_button_link": "https://example.com/half?a=1&b=2",
            }
        )
        self._sign_in(self.ann)
        text = self._get(self.url).text
        self.assertIn("<b>half</b>", text)
        self.assertNotIn("x()", text)
        self.assertIn("Half &lt;price&gt;", text)
        self.assertIn('href="https://example.com/half?a=1&amp;b=2"', text)

    def test_link_that_is_no_address_of_the_web(self):
        self.reason.write(
            {
                "retention_button_text": "Press me",
                "retention_button_link": "javascript:alert(1)",
            }
        )
        self._sign_in(self.ann)
        text = self._get(self.url).text
        self.assertNotIn("javascript:alert", text)
        self.assertNotIn("Press me", text)

    def test_looking_closes_nothing(self):
        self._sign_in(self.ann)
        response = self._get(f"{self.url}/close", close_reason_id=self.reason.id)
        self.assertEqual(response.status_code, 405)
        self.assertStillRuns()

    @mute_logger("odoo.http")
    def test_form_of_another_site(self):
        self._sign_in(self.ann)
        data = {"close_reason_id": self.reason.id}
        for action in ("close", "renew", "quantities"):
            response = self._post(action, data, csrf=False)
            self.assertEqual(response.status_code, 400)
            response = self._post(action, data | {"csrf_token": "x"}, csrf=False)
            self.assertEqual(response.status_code, 400)
        self.assertStillRuns()
        self.assertFalse(self.order.subscription_child_ids)

    def test_twice_is_once(self):
        self._sign_in(self.ann)
        self._close()
        messages = self.order.message_ids
        other = self.env.ref("sale_subscription.close_reason_no_need")
        response = self._close(other, feedback="Again")
        self.assertIn("message=closed", response.headers["Location"])
        self.assertEqual(self.order.message_ids, messages)
        self.assertEqual(self.order.close_reason_id, self.reason)

    def test_quotations_upsells_and_renewed_ones_are_not_closed(self):
        renewal = self.order._create_upsell_renew_order("2_renewal")
        upsell = self.order._create_upsell_renew_order("7_upsell")
        renewed = self._create_invoiced()
        renewed._create_upsell_renew_order("2_renewal").action_confirm()
        self._sign_in(self.ann)
        for order in (renewal, upsell, renewed, self._create_quotation()):
            state = order.subscription_state
            self._close(order=order)
            self.assertEqual(order.subscription_state, state)

    def test_open_invoices_stay_to_be_paid(self):
        self._sign_in(self.ann)
        self._close()
        page = self._page()
        self.assertIn(self.invoice.name, page["pay_first"][0])
        self.assertFalse(self._run_cron(self.today + timedelta(days=30)) & self.invoice)

    def test_closed_for_being_unpaid(self):
        """Paying reopens it, so that is what it asks for; not a renewal."""
        unpaid = self.env.ref("sale_subscription.close_reason_unpaid")
        self.order.set_close(unpaid.id)
        self._sign_in(self.ann)
        page = self._page()
        self.assertIn("reopened", page["closed_unpaid"][0])
        self.assertNotIn("renew", page)
        self._post("renew")
        self.assertFalse(self.order.subscription_child_ids)
