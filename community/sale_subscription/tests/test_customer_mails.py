from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import mute_logger

from .payment_common import PaymentCase

NOTICE = "odoo.addons.sale_subscription.models.notice.sale_subscription_notice"


@tagged("post_install", "-at_install")
class TestCustomerMails(PaymentCase):
    """What customers are told by email: once, and in their language."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner.email = "customer@example.com"

    def _mails(self, order, words=""):
        """The mails in Odoo's queue for a subscription, with these words in them."""
        mails = self.env["mail.mail"].search(
            [("model", "=", "sale.order"), ("res_id", "=", order.id)], order="id"
        )
        return mails.filtered(lambda m: words in f"{m.subject} {m.body_html}")

    def _expire(self, *days):
        for day in days:
            with freeze_time(day):
                self.env["sale.order"]._cron_subscription_expiration()

    # === PAYMENT FAILED ===

    def test_payment_failed_is_told_once_with_a_link_to_mend_it(self):
        """Declined on the 1st and again on the 2nd and 5th: one mail."""
        order = self._create_paid_subscription(outcome="error")
        for day in ("2026-01-01", "2026-01-02", "2026-01-05"):
            self._run_cron(day)
        self.assertFailed(order, 3, "2026-01-10")
        mail = self._mails(order)
        self.assertEqual(mail.state, "outgoing")
        self.assertEqual(mail.recipient_ids, self.partner)
        invoice = order.invoice_ids
        self.assertIn(f"Payment of {invoice.name} failed", mail.subject)
        self.assertIn("10.00", mail.body_html)
        self.assertIn(f"/my/invoices/{invoice.id}?access_token=", mail.body_html)

    def test_another_invoice_that_fails_is_told_too(self):
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-01"):
            order.payment_token_id = self._create_token("error")
            order.invoice_ids.payment_reference = "x"
        self._register_payment(order.invoice_ids)
        self._run_cron("2026-02-01")
        self.assertEqual(len(self._mails(order, "failed")), 2)

    def test_what_is_paid_is_told_of_by_nobody(self):
        order = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        self.assertFalse(self._mails(order))

    # === PAYMENT METHOD ABOUT TO EXPIRE ===

    def test_payment_method_about_to_expire(self):
        """Valid until 31 March: told 30 days ahead, on 1 March, and never again."""
        order = self._create_paid_subscription()
        self.token.expiry_date = "2026-03-31"
        self._expire("2026-02-28")
        self.assertFalse(self._mails(order, "about to expire"))
        self._expire("2026-03-01", "2026-03-02", "2026-03-31")
        mail = self._mails(order, "about to expire")
        self.assertEqual(len(mail), 1)
        self.assertIn("03/31/2026", mail.body_html)
        self.assertIn("/my/payment_method", mail.body_html)
        self.token.expiry_date = "2026-04-02"
        self._expire("2026-03-31")
        self.assertEqual(len(self._mails(order, "about to expire")), 2)

    def test_what_the_customer_saves_then_takes_its_place(self):
        """On the page that the mail leads to, where nothing is paid."""
        order = self._create_paid_subscription()
        fine = self._create_paid_subscription()
        fine.payment_token_id = lasting = self._create_token()
        self.token.expiry_date = "2026-03-31"
        saved = self._create_token()
        with freeze_time("2026-03-05"):
            transaction = self.env["payment.transaction"].create(
                {
                    "provider_id": self.provider.id,
                    "payment_method_id": self.method.id,
                    "operation": "validation",
                    "amount": 0,
                    "currency_id": order.currency_id.id,
                    "partner_id": self.partner.id,
                    "token_id": saved.id,
                }
            )
            transaction._set_done()
            transaction._post_process()
        self.assertEqual(order.payment_token_id, saved)
        self.assertEqual(fine.payment_token_id, lasting)

    # === CLOSING, CLOSED ===

    def test_about_to_be_closed_and_closed(self):
        """Due on 1 January, unpaid for more than 14 days on the 16th; 7 days ahead."""
        self.plan.auto_close_limit = 14
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        self._expire("2026-01-08")
        self.assertFalse(self._mails(order))
        self._expire("2026-01-09", "2026-01-10", "2026-01-15")
        mail = self._mails(order)
        self.assertEqual(len(mail), 1)
        self.assertIn("is about to be closed", mail.subject)
        self.assertIn("01/16/2026", mail.body_html)
        self._expire("2026-01-16", "2026-01-17")
        mails = self._mails(order)
        self.assertEqual(len(mails), 2)
        self.assertIn("was closed", mails[1].subject)
        self.assertIn(
            "When it is paid, the subscription runs again", mails[1].body_html
        )

    def test_closed_by_hand_or_by_its_end(self):
        order = self._create_subscription()
        with freeze_time("2026-01-10"):
            order.set_close()
        mail = self._mails(order, "was closed")
        self.assertIn("01/10/2026", mail.body_html)
        self.assertNotIn("runs again", mail.body_html)
        self.assertIn(f"/my/subscriptions/{order.id}?access_token=", mail.body_html)

    def test_a_renewal_closes_nothing(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-10"):
            renewal = order._create_upsell_renew_order("2_renewal")
            renewal.action_confirm()
            renewal._action_cancel()
        self.assertFalse(self._mails(order, "was closed"))
        self.assertFalse(self._mails(renewal, "was closed"))

    # === AHEAD ===

    def test_a_charge_is_announced(self):
        """On 1 February, 7 days ahead: on 25 January; the next one on 22 February."""
        order = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        self._expire("2026-01-24")
        self.assertFalse(self._mails(order))
        self._expire("2026-01-25", "2026-01-26", "2026-01-31")
        mail = self._mails(order)
        self.assertEqual(len(mail), 1)
        self.assertIn("Upcoming charge", mail.subject)
        self.assertIn("02/01/2026", mail.body_html)
        self.assertIn("10.00", mail.body_html)
        self._run_cron("2026-02-01")
        self._expire("2026-02-21", "2026-02-22")
        self.assertEqual(len(self._mails(order)), 2)

    def test_what_is_paused_by_then_is_announced_no_charge(self):
        order = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-02"):
            order.pause_subscription(pause_date=date(2026, 2, 1))
        self._expire("2026-01-26")
        self.assertFalse(self._mails(order, "Upcoming charge"))

    def test_who_pays_by_hand_is_announced_no_charge(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        self._expire("2026-01-26")
        self.assertFalse(self._mails(order))

    def test_its_end_is_announced(self):
        """It ends on 1 March: told on 22 February, unless it is renewed by then."""
        ends = self._create_subscription(end_date="2026-03-01")
        renewed = self._create_subscription(end_date="2026-03-01")
        self._run_cron("2026-02-01")
        with freeze_time("2026-02-20"):
            renewed._create_upsell_renew_order("2_renewal")
        self._expire("2026-02-21")
        self.assertFalse(self._mails(ends))
        self._expire("2026-02-22", "2026-02-23")
        self.assertEqual(len(self._mails(ends, "about to end")), 1)
        self.assertFalse(self._mails(renewed))

    def test_days_of_the_plan(self):
        self.plan.notice_days = 3
        order = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        self._expire("2026-01-28")
        self.assertFalse(self._mails(order))
        self._expire("2026-01-29")
        self.assertEqual(len(self._mails(order)), 1)
        self.plan.notice_days = 0
        self._run_cron("2026-02-01")
        self._expire("2026-02-27")
        self.assertEqual(len(self._mails(order)), 1)

    # === WHO, AND HOW ===

    def test_a_plan_opts_out_of_all(self):
        self.plan.write({"send_customer_mails": False, "auto_close_limit": 14})
        order = self._create_paid_subscription(outcome="error", end_date="2026-01-20")
        order.payment_token_id.expiry_date = "2026-01-20"
        self._run_cron("2026-01-01")
        self._expire("2026-01-10", "2026-01-16")
        self.assertEqual(order.subscription_state, "6_churn")
        self.assertFalse(self._mails(order))
        notices = self.env["sale.subscription.notice"].search(
            [("subscription_id", "=", order.id)]
        )
        self.assertFalse(notices)

    def test_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("sale_subscription.mail_template_closed")
        template.with_context(lang="fr_FR").subject = "{{ object.name }} est terminé"
        self.partner.lang = "fr_FR"
        order = self._create_subscription()
        with freeze_time("2026-01-10"):
            order.set_close()
        mail = self._mails(order)
        self.assertEqual(mail.subject, f"{order.name} est terminé")
        self.assertIn("10/01/2026", mail.body_html)

    def test_to_who_pays(self):
        payer = self.env["res.partner"].create(
            {"name": "Sample Books", "email": "books@example.com"}
        )
        order = self._create_subscription(partner_invoice_id=payer.id)
        order.set_close()
        self.assertEqual(self._mails(order).recipient_ids, payer)

    def test_customer_without_an_address_is_noted_once(self):
        self.partner.email = False
        order = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        self._expire("2026-01-25", "2026-01-26")
        self.assertFalse(self._mails(order))
        notes = order.message_ids.filtered(lambda m: "has no email" in (m.body or ""))
        self.assertEqual(len(notes), 1)

    @mute_logger(NOTICE, "odoo.addons.mail.models.mail_render_mixin")
    def test_one_that_fails_stops_no_other(self):
        bad = self._create_subscription(end_date="2026-03-01")
        good = self._create_subscription(end_date="2026-03-01")
        self._run_cron("2026-02-01")
        template_class = self.env.registry["mail.template"]
        send = template_class.send_mail

        def send_mail(template, res_id, **kwargs):
            if res_id == bad.id:
                raise ValueError("Not this one.")
            return send(template, res_id, **kwargs)

        with patch.object(template_class, "send_mail", send_mail):
            self._expire("2026-02-25", "2026-02-26")
        self.assertFalse(self._mails(bad))
        self.assertEqual(len(self._mails(good)), 1)
        notes = bad.message_ids.filtered(lambda m: "Not this one" in (m.body or ""))
        self.assertEqual(len(notes), 1)

    def test_nothing_leaves_of_what_is_rolled_back(self):
        order = self._create_subscription()
        try:
            with self.env.cr.savepoint():
                order.set_close()
                self.assertTrue(self._mails(order))
                raise KeyError("later on")
        except KeyError:
            self.env.invalidate_all()
        self.assertFalse(self._mails(order))
        self.assertEqual(order.subscription_state, "3_progress")

    def test_a_template_taken_out_is_not_missed(self):
        self.env.ref("sale_subscription.mail_template_closed").unlink()
        order = self._create_subscription()
        order.set_close()
        self.assertEqual(order.subscription_state, "6_churn")
