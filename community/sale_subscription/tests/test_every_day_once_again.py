from datetime import date

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .every_day_case import EveryDayCase


@tagged("post_install", "-at_install")
class TestEveryDayOnceAgain(EveryDayCase):
    """Nor is a day charged twice, or never, after a subscription comes back."""

    # === CLOSED, PAUSED, AND BACK ===

    def test_agreed_end_survives_closing_and_reopening(self):
        self.plan.auto_close_limit = 5
        order = self._subscribe(end_date="2027-01-01")
        with freeze_time("2026-01-20"):
            self.env["sale.order"]._cron_subscription_expiration()
            self.assertEqual(order.end_date, date(2026, 1, 20))
            order.set_open()
        self.assertEqual(order.end_date, date(2027, 1, 1))

    def test_pause_does_not_outlive_the_end_date(self):
        order = self._subscribe(end_date="2026-03-01")
        with freeze_time("2026-01-10"):
            order.pause_subscription(fields.Date.to_date("2026-04-01"))
        with freeze_time("2026-04-02"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "6_churn")
        self.assertEqual(order.end_date, date(2026, 3, 1))

    def test_paused_past_its_end_is_not_resumed_by_hand(self):
        order = self._subscribe(end_date="2026-03-01")
        order.pause_subscription()
        with freeze_time("2026-03-01"), self.assertRaisesRegex(UserError, "ended on"):
            order.resume_subscription()

    def test_short_pause_over_new_year_costs_its_days_only(self):
        """Yearly at 365.00, paused on 30 December for three days: not a free year."""
        order = self._create_subscription(self.base, plan_id=self.yearly.id)
        order.order_line.price_unit = 365
        self._run_cron("2026-01-01")
        with freeze_time("2026-12-30"):
            order.pause_subscription(fields.Date.to_date("2027-01-02"))
        with freeze_time("2027-01-02"):
            self.env["sale.order"]._cron_subscription_expiration()
        self._run_cron("2027-01-02")
        self.assertEqual(self._untaxed(order), 365 + 364)
        self.assertDates(order, "2027-01-01", "2028-01-01")

    def test_days_after_a_pause_are_credited_like_others(self):
        """Runs again on 11 March for 21 days; changed on the 21st: 11 unused."""
        order = self._subscribe()
        with freeze_time("2026-01-10"):
            order.pause_subscription()
        with freeze_time("2026-03-11"):
            order.resume_subscription()
            self.assertEqual(order._create_recurring_invoice().amount_untaxed, 21)
        self._change_today(order, "2026-03-21")
        self.assertEqual(self._credits(order).price_subtotal, -11)

    def test_plan_change_waits_for_the_days_after_a_pause(self):
        order = self._subscribe()
        order.pause_subscription()
        with freeze_time("2026-03-11"):
            order.resume_subscription()
        with self.assertRaisesRegex(UserError, "Some current charges"):
            self._change_today(order, "2026-03-12")

    def test_cancelled_and_confirmed_again_owes_nothing_for_the_time_between(self):
        order = self._subscribe()
        with freeze_time("2026-01-20"):
            order.set_close()
        with freeze_time("2026-05-11"):
            order._action_cancel()
            order.action_draft()
            order.action_confirm()
        self._run_cron("2026-05-11")
        self.assertEqual(self._untaxed(order), 31 + 21)
        self.assertDates(order, "2026-05-01", "2026-06-01")
        events = order.sale_order_log_ids.sorted("id").mapped("event_type")
        self.assertEqual(events, ["new", "churn", "reopen"])

    def test_draft_of_the_period_bars_running_again(self):
        """It would be charged beside the days from then on."""
        self.plan.invoice_posting = "draft"
        for stop, start in (
            ("pause_subscription", "resume_subscription"),
            ("set_close", "set_open"),
        ):
            order = self._subscribe()
            order.invoice_ids.action_post()
            self._run_cron("2026-02-01")
            with freeze_time("2026-02-03"):
                getattr(order, stop)()
            with freeze_time("2026-02-15"):
                with self.assertRaisesRegex(UserError, "has a draft invoice"):
                    getattr(order, start)()

    def test_paused_before_its_first_invoice(self):
        """Runs again on 11 January: 21 of 31 days."""
        order = self._create_subscription(self.base)
        order.pause_subscription()
        with freeze_time("2026-01-11"):
            order.resume_subscription()
        self._run_cron("2026-01-11")
        self.assertEqual(self._untaxed(order), 21)

    def test_late_payment_does_not_revive_an_expired_contract(self):
        self.plan.auto_close_limit = 5
        order = self._subscribe(end_date="2026-02-01")
        with freeze_time("2026-01-20"):
            self.env["sale.order"]._cron_subscription_expiration()
        with freeze_time("2026-02-05"):
            register = self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=order.invoice_ids.ids
            )
            register.create({})._create_payments()
        self.assertEqual(order.subscription_state, "6_churn")

    def test_cancelled_and_confirmed_again_it_keeps_its_term(self):
        order = self._subscribe(end_date="2027-01-01")
        with freeze_time("2026-01-10"):
            order._action_cancel()
            order.action_draft()
            order.action_confirm()
        self.assertEqual(order.end_date, date(2027, 1, 1))

    def test_plan_changed_and_changed_back_is_one_of_the_31st_again(self):
        order = self._subscribe("2026-01-31")
        with freeze_time("2026-02-10"):
            order.change_plan(self.yearly)
            order.change_plan(self.plan)
        self._run_cron("2026-02-28")
        self.assertDates(order, "2026-02-28", "2026-03-31")

    # === CREDITED, AND NOT CHARGED AGAIN ===

    def test_credited_upsell_is_not_invoiced_again(self):
        """Odoo calls it to be invoiced again, and the job would have done it."""
        order = self._subscribe()
        upsell = self._upsell(order, "2026-01-11")
        self._run_cron("2026-01-11")
        self._credit(upsell.invoice_ids, "2026-01-12")
        self._run_cron("2026-01-13")
        self.assertEqual(self._untaxed(upsell), 0)
        self.assertNotEqual(upsell.invoice_status, "to invoice")

    def test_credited_days_after_a_pause_are_not_invoiced_again(self):
        order = self._subscribe()
        order.pause_subscription()
        with freeze_time("2026-03-11"):
            order.resume_subscription()
        self._credit(self._run_cron("2026-03-11"), "2026-03-12")
        self._run_cron("2026-03-13")
        self.assertEqual(self._untaxed(order), 31)

    def test_credited_one_off_fee_is_not_invoiced_with_the_next_period(self):
        self._create_subscription(self.base, self.setup_fee)
        self._credit(self._run_cron("2026-01-01"), "2026-01-12")
        self.assertEqual(self._run_cron("2026-02-01").amount_untaxed, 31)

    def test_more_of_a_one_off_fee_is_invoiced(self):
        order = self._create_subscription(self.base, self.setup_fee)
        self._run_cron("2026-01-01")
        order.order_line[1].product_uom_qty = 3
        self.assertEqual(self._run_cron("2026-02-01").amount_untaxed, 31 + 80)

    def test_credit_of_a_plan_change_is_given_once_when_it_is_reversed(self):
        """365.00 less 334.00 unused is 31.00; the credit note of 303.00 is reversed."""
        order = self._create_subscription(self.base, plan_id=self.yearly.id)
        order.order_line.price_unit = 365
        self._run_cron("2026-01-01")
        with freeze_time("2026-02-01"):
            order.change_plan(self.plan, "now")
            order.order_line[0].price_unit = 31
            refund = order._create_recurring_invoice()
        self.assertEqual((refund.move_type, refund.amount_total), ("out_refund", 303))
        self._credit(refund, "2026-02-02")
        self.assertEqual(self._run_cron("2026-03-01").amount_untaxed, 31)

    def test_upsell_of_the_day_of_a_plan_change_is_credited_once(self):
        order = self._create_subscription(self.base, plan_id=self.yearly.id)
        order.order_line.price_unit = 365
        self._run_cron("2026-01-01")
        self._upsell(order, "2026-02-01")
        self._run_cron("2026-02-01")
        three = self._create_plan(billing_period_value=3)
        for day, plan in (("2026-02-01", three), ("2026-03-01", self.plan)):
            with freeze_time(day):
                order.change_plan(plan, "now")
                order._create_recurring_invoice()
        ends = [line.name for line in self._credits(order) if "12/31/2026" in line.name]
        self.assertEqual(len(ends), 2)

    def test_credit_is_never_more_than_was_invoiced(self):
        """14 x 0.37 less 10 % is 4.662, invoiced as 4.66: of that 352 of 365 days."""
        order = self._create_subscription(self.base, plan_id=self.yearly.id)
        order.order_line.write(
            {"product_uom_qty": 14, "price_unit": 0.37, "discount": 10}
        )
        self.assertEqual(self._run_cron("2026-01-01").amount_untaxed, 4.66)
        with freeze_time("2026-01-14"):
            order.change_plan(self.plan, "now")
        self.assertEqual(self._credits(order).price_subtotal, -4.49)

    # === RENEWED ONES COME BACK ===

    def test_renewed_cancelled_and_confirmed_does_not_run_beside_its_renewal(self):
        order = self._subscribe()
        self._renew(order, "2026-01-15")
        order._action_cancel()
        order.action_draft()
        with self.assertRaisesRegex(UserError, "continues as"):
            order.action_confirm()

    def test_renewal_cancelled_after_its_first_invoice_can_come_back(self):
        order = self._subscribe()
        renewal = self._renew(order, "2026-01-15")
        self._run_cron("2026-02-01")
        with freeze_time("2026-02-05"):
            renewal._action_cancel()
            renewal.action_draft()
            renewal.action_confirm()
        self.assertEqual(renewal.subscription_state, "3_progress")
        self.assertDates(renewal, "2026-02-01", "2026-03-01")

    def test_or_the_old_one_is_opened_again_and_then_not_both(self):
        order = self._subscribe()
        renewal = self._renew(order, "2026-01-15")
        self._run_cron("2026-02-01")
        with freeze_time("2026-02-05"):
            renewal._action_cancel()
            order.set_open()
            self.assertEqual(order.subscription_state, "3_progress")
            # February was invoiced on the renewal.
            self.assertDates(order, "2026-02-01", "2026-03-01")
            self.assertFalse(order._has_days_to_invoice())
            renewal.action_draft()
            with self.assertRaisesRegex(UserError, "runs again"):
                renewal.action_confirm()

    def test_renewal_of_what_became_a_quotation_is_refused(self):
        order = self._subscribe()
        with freeze_time("2026-01-15"):
            renewal = order._create_upsell_renew_order("2_renewal")
            order._action_cancel()
            order.action_draft()
            with self.assertRaisesRegex(UserError, "can be renewed"):
                renewal.action_confirm()

    def test_given_back_as_it_was_the_last_time(self):
        order = self._subscribe()
        with freeze_time("2026-01-05"):
            order.pause_subscription(fields.Date.to_date("2026-01-20"))
        renewal = self._renew(order, "2026-01-06")
        with freeze_time("2026-01-07"):
            renewal._action_cancel()
            self.assertEqual(order.subscription_state, "4_paused")
            self.assertEqual(order.resume_date, date(2026, 1, 20))
            order.resume_subscription()
            renewal.action_draft()
            renewal.action_confirm()
            renewal._action_cancel()
        self.assertEqual(order.subscription_state, "3_progress")

    # === UNPAID ===

    def test_credit_note_that_we_owe_closes_nobody(self):
        self.plan.auto_close_limit = 5
        order = self._subscribe(plan_id=self.yearly.id)
        with freeze_time("2026-01-01"):
            register = self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=order.invoice_ids.ids
            )
            register.create({})._create_payments()
        with freeze_time("2026-01-02"):
            order.change_plan(self.plan, "now")
            order.order_line[0].price_unit = 3.1
            refund = order._create_recurring_invoice()
        self.assertEqual(refund.move_type, "out_refund")
        with freeze_time("2026-01-30"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "3_progress")

    # === NEXT DATE MOVED BACK ===

    def test_next_date_is_not_moved_before_what_is_invoiced(self):
        """It would never have been invoiced again, without a word."""
        order = self._subscribe()
        for day in ("2026-01-01", "2026-01-15"):
            with self.assertRaisesRegex(UserError, "is invoiced up to"):
                order.next_invoice_date = day

    def test_next_date_is_moved_back_over_a_cancelled_invoice(self):
        order = self._subscribe()
        order.invoice_ids.button_draft()
        order.invoice_ids.button_cancel()
        order.next_invoice_date = "2026-01-01"
        self.assertEqual(self._run_cron("2026-01-05").amount_untaxed, 31)
        self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_next_date_is_moved_back_over_an_invoice_taken_back(self):
        order = self._subscribe()
        with freeze_time("2026-01-05"):
            order.invoice_ids._reverse_moves(cancel=True)
        order.next_invoice_date = "2026-01-01"
        self.assertEqual(self._run_cron("2026-01-05").amount_untaxed, 31)

    def test_next_date_of_a_renewal_is_not_moved_before_its_start(self):
        order = self._subscribe()
        renewal = self._renew(order, "2026-01-15")
        with self.assertRaisesRegex(UserError, "before the start"):
            renewal.next_invoice_date = "2026-01-20"

    # === MRR ===

    def test_mrr_of_a_line_that_becomes_one_off_or_delivered(self):
        for values in ({"recurring_invoice": False}, {"product_id": self.hours.id}):
            order = self._create_subscription(self.fee, self.fee)
            line = order.order_line[:1]
            if "product_id" in values and not line.product_updatable:
                continue  # a project app keeps the product of what is confirmed
            line.write(values)
            self.assertLog(order, ("new", 20), ("contraction", -10))
