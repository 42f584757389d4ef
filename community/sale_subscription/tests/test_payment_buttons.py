from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .payment_common import PaymentCase


@tagged("post_install", "-at_install")
class TestPaymentButtons(PaymentCase):
    """ "Charge Now" and "Clear" on the subscription."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.billing = new_test_user(
            cls.env, "billing", "account.group_account_invoice", name="Bill Ing"
        )
        cls.salesperson = new_test_user(
            cls.env, "salesperson", "sales_team.group_sale_salesman_all_leads"
        )

    def _charge_now(self, order, at="2026-01-01"):
        with freeze_time(at):
            return order.with_user(self.billing).action_charge_now()["params"]

    def _clear(self, order, at):
        with freeze_time(at):
            order.with_user(self.billing).action_clear_payment_exception()

    # === CHARGE NOW ===

    def test_charge_now(self):
        order = self._create_invoiced_subscription()
        self.assertEqual(self._charge_now(order)["type"], "success")
        self.assertEqual(order.invoice_ids.payment_state, "paid")

    def test_charge_now_after_the_last_automatic_try(self):
        order = self._create_paid_subscription(outcome="error")
        for day in self._days("2026-01-01", 20):
            self._run_cron(day)
        self.assertFailed(order, 5, None)
        order.payment_token_id.demo_simulated_state = "done"
        self._charge_now(order, "2026-01-20")
        self.assertEqual(order.invoice_ids.payment_state, "paid")
        self.assertNoFailure(order)

    def test_charge_now_that_fails_says_so_and_counts(self):
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        params = self._charge_now(order)
        self.assertEqual(params["type"], "danger")
        self.assertIn("demo payment status: error", params["message"])
        self.assertEqual(len(self._charges(order)), 2)
        self.assertFailed(order, 2, "2026-01-04")

    def test_charge_now_of_several_invoices(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-02-01"):
            order._create_recurring_invoice()
        self._charge_now(order, "2026-02-01")
        self.assertEqual(self._charges(order).mapped("state"), ["done", "done"])

    def test_charge_now_without_anything_open(self):
        order = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        self.assertFalse(order.is_charge_possible)
        with self.assertRaisesRegex(UserError, "no unpaid invoice"):
            self._charge_now(order)

    def test_charge_now_without_token(self):
        order = self._create_invoiced_subscription(payment_token_id=False)
        with self.assertRaisesRegex(UserError, "no payment method"):
            self._charge_now(order)

    def test_charge_now_never_charges_twice(self):
        order = self._create_paid_subscription(outcome="pending")
        self._run_cron("2026-01-01")
        with self.assertRaisesRegex(UserError, "still to come"):
            self._charge_now(order, "2026-01-09")
        self.assertEqual(len(self._charges(order)), 1)

    def test_charge_now_with_unknown_outcome_asks_to_look_first(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-01-01"):
            order._begin_charge(by_hand=False)
        with self.assertRaisesRegex(UserError, "Check it"):
            self._charge_now(order, "2026-01-02")

    def test_charge_now_reopens_what_was_closed_for_being_unpaid(self):
        self.plan.auto_close_limit = 10
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-12"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "6_churn")
        order.payment_token_id.demo_simulated_state = "done"
        self._charge_now(order, "2026-01-12")
        self.assertEqual(order.subscription_state, "3_progress")

    def test_charge_now_of_an_invoice_excluded_from_follow_ups(self):
        order = self._create_invoiced_subscription()
        order.invoice_ids.no_followup = True
        self._charge_now(order)
        self.assertEqual(order.invoice_ids.payment_state, "paid")

    def test_only_billing_users_charge(self):
        order = self._create_invoiced_subscription()
        for method in ("action_charge_now", "action_clear_payment_exception"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(order.with_user(self.salesperson), method)()
        self.assertFalse(self._charges(order))

    # === CLEAR ===

    def test_clear_a_charge_that_was_not_made(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-01-01 06:00:00"):
            lost = order._begin_charge(by_hand=False)
        self._sweep("2026-01-02")
        self._clear(order, "2026-01-02")
        self.assertEqual(lost.state, "error")
        self.assertIn("Bill Ing", lost.state_message)
        self.assertNoFailure(order)
        with freeze_time("2026-01-02"):
            # Odoo's job
            lost.filtered(lambda tx: not tx.is_post_processed)._post_process()
        self.assertNoFailure(order)
        self._sweep("2026-01-03")
        self.assertEqual(self._charges(order).mapped("state"), ["error", "done"])

    def test_clear_too_early(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-01-01 06:00:00"):
            order._begin_charge(by_hand=False)
        with self.assertRaisesRegex(UserError, "less than an hour"):
            self._clear(order, "2026-01-01 06:59:00")

    def test_clear_starts_the_tries_anew(self):
        order = self._create_paid_subscription(outcome="error")
        for day in self._days("2026-01-01", 20):
            self._run_cron(day)
        self._clear(order, "2026-01-20")
        self.assertNoFailure(order)
        self._sweep("2026-01-20")
        self.assertFailed(order, 1, "2026-01-21")

    def test_clear_leaves_pending_charges_to_the_provider(self):
        order = self._create_paid_subscription(outcome="pending")
        self._run_cron("2026-01-01")
        self._clear(order, "2026-01-09")
        self._sweep("2026-01-09")
        self.assertEqual(self._charges(order).mapped("state"), ["pending"])

    # === WHAT OTHERS SEE ===

    def test_salesperson_reads_what_failed(self):
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        [values] = order.with_user(self.salesperson).web_read(
            {
                "payment_token_id": {"fields": {"display_name": {}}},
                "payment_exception_reason": {},
                "suitable_payment_token_ids": {},
            }
        )
        self.assertIn("error", values["payment_exception_reason"])
        self.assertEqual(values["payment_token_id"]["display_name"], "4242")

    def test_salesperson_renews_a_subscription_paid_by_token(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-01-15"):
            renewal = order.with_user(self.salesperson)._create_upsell_renew_order(
                "2_renewal"
            )
            renewal.action_confirm()
        self.assertEqual(renewal.sudo().payment_token_id, self.token)
