from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import SubscriptionCase

ISOLATION = "odoo.addons.sale_subscription.models.base.order_isolation"


@tagged("post_install", "-at_install")
class TestPauseAndReopen(SubscriptionCase):
    def _run_expiration(self, day):
        with freeze_time(day):
            self.env["sale.order"]._cron_subscription_expiration()

    def _pay(self, invoice, day, amount=None):
        with freeze_time(day):
            register = self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=invoice.ids
            )
            register.create(
                {"amount": amount or invoice.amount_residual}
            )._create_payments()

    # === RESUME DATE ===

    def _create_paused(self, resume_date):
        """Monthly from 31 January, paused on 10 February."""
        order = self._create_subscription(start="2026-01-31")
        self._run_cron("2026-01-31")
        with freeze_time("2026-02-10"):
            order.pause_subscription(fields.Date.to_date(resume_date))
        return order

    def test_runs_again_on_its_day(self):
        order = self._create_paused("2026-04-15")
        self._run_expiration("2026-04-14")
        self.assertEqual(order.subscription_state, "4_paused")
        self._run_expiration("2026-04-15")
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertFalse(order.resume_date)
        self.assertDates(order, "2026-03-31", "2026-04-30")

    def test_late_run_resumes_from_the_promised_day(self):
        """Promised for 15 April, run on 5 June: 30 April and 31 May are invoiced."""
        order = self._create_paused("2026-04-15")
        self._run_expiration("2026-06-05")
        self.assertDates(order, "2026-03-31", "2026-04-30")
        self.assertEqual(len(self._run_cron("2026-06-05")), 2)

    def test_pause_within_the_paid_period_costs_nothing_and_gives_nothing(self):
        order = self._create_paused("2026-02-20")
        self._run_expiration("2026-02-20")
        self.assertDates(order, "2026-01-31", "2026-02-28")

    def test_resumed_by_hand_before_its_day(self):
        order = self._create_paused("2026-04-15")
        with freeze_time("2026-02-12"):
            order.resume_subscription()
        self.assertFalse(order.resume_date)
        self._run_expiration("2026-04-15")
        self.assertEqual(order.subscription_state, "3_progress")

    def test_closed_while_paused_does_not_come_back(self):
        order = self._create_paused("2026-04-15")
        with freeze_time("2026-03-01"):
            order.set_close()
        self._run_expiration("2026-04-15")
        self.assertEqual(order.subscription_state, "6_churn")

    def test_resume_date_in_the_past_is_refused(self):
        for day in ("2026-02-09", "2026-02-10"):
            with self.assertRaises(ValidationError):
                self._create_paused(day)

    def test_wizard(self):
        order = self._create_subscription()
        action = order.action_open_pause_wizard()
        wizard = self.env[action["res_model"]].with_context(**action["context"])
        with freeze_time("2026-01-10"):
            wizard.create({"resume_date": "2026-03-01"}).action_pause()
        self.assertEqual(order.subscription_state, "4_paused")
        self.assertEqual(str(order.resume_date), "2026-03-01")

    def test_one_that_fails_leaves_the_others_alone(self):
        bad, good = self._create_paused("2026-04-15"), self._create_paused("2026-04-15")
        order_class = self.env.registry["sale.order"]
        original = order_class._open_from

        def open_from(order, day):
            if order == bad:
                raise ValueError("Not this one.")
            return original(order, day)

        with (
            patch.object(order_class, "_open_from", open_from),
            self.assertLogs(ISOLATION, "ERROR"),
        ):
            self._run_expiration("2026-04-15")
        self.assertEqual(good.subscription_state, "3_progress")
        self.assertEqual(bad.subscription_state, "4_paused")
        self.assertEqual(bad.subscription_error, "ValueError: Not this one.")
        self._run_expiration("2026-04-15")
        self.assertEqual(bad.subscription_state, "3_progress")
        self.assertFalse(bad.subscription_error)

    def test_the_total_of_the_order_does_not_grow(self):
        """10.00 a month, whatever was charged for 20 to 31 January and 20 February on.

        That is 12 of 31 days, 3.87, and 9 of 28 days, 3.21.
        """
        order = self._create_subscription()
        for stop, start in (("2026-01-05", "2026-01-20"), ("2026-02-01", "2026-02-20")):
            with freeze_time(stop):
                order.pause_subscription()
            with freeze_time(start):
                order.resume_subscription()
            self._run_cron(start)
        amounts = order.invoice_ids.sorted("id").mapped("amount_total")
        self.assertEqual(amounts, [3.87, 3.21])
        self.assertEqual(len(order.order_line), 3)
        self.assertEqual((order.amount_untaxed, order.amount_total), (10, 10))
        self.assertEqual(order.tax_totals["total_amount_currency"], 10)

    # === UNPAID, AND PAID AFTER ALL ===

    def _create_closed_unpaid(self):
        """Invoiced and due on 1 January, closed by itself on the 16th."""
        self.plan.auto_close_limit = 14
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        self._run_expiration("2026-01-16")
        self.assertEqual(order.subscription_state, "6_churn")
        return order

    def test_paid_after_all_it_runs_again(self):
        order = self._create_closed_unpaid()
        self._pay(order.invoice_ids, "2026-01-20")
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertFalse(order.close_reason_id)
        self.assertFalse(order.end_date)
        self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_time_closed_is_not_invoiced(self):
        """Runs again for the 21 days left of the 30 of April."""
        order = self._create_closed_unpaid()
        self._pay(order.invoice_ids, "2026-04-10")
        self.assertDates(order, "2026-04-01", "2026-05-01")
        self.assertEqual(self._run_cron("2026-04-10").amount_total, 7)
        self.assertFalse(self._run_cron("2026-04-30"))

    def test_part_payment_does_not_reopen(self):
        order = self._create_closed_unpaid()
        self._pay(order.invoice_ids, "2026-01-20", amount=4)
        self.assertEqual(order.subscription_state, "6_churn")

    def test_another_overdue_invoice_keeps_it_closed(self):
        self.plan.auto_close_limit = 40
        order = self._create_subscription()
        first, second = self._run_cron("2026-02-01").sorted("invoice_date_due")
        first.invoice_date_due = "2026-01-01"
        self._run_expiration("2026-02-11")
        self.assertEqual(order.subscription_state, "6_churn")
        self._pay(first, "2026-02-12")
        self.assertEqual(order.subscription_state, "6_churn")
        self._pay(second, "2026-02-13")
        self.assertEqual(order.subscription_state, "3_progress")

    def test_closed_for_another_reason_stays_closed(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-05"):
            order.set_close(self.env.ref("sale_subscription.close_reason_no_need").id)
        self._pay(order.invoice_ids, "2026-01-20")
        self.assertEqual(order.subscription_state, "6_churn")

    def test_reason_unpaid_cannot_be_deleted(self):
        with self.assertRaisesRegex(UserError, "not deleted"):
            self.env.ref("sale_subscription.close_reason_unpaid").unlink()
        self.env.ref("sale_subscription.close_reason_no_need").unlink()
