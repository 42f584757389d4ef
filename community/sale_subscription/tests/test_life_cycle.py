from datetime import date

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestLifeCycle(SubscriptionCase):
    def test_quotation_with_plan_is_a_subscription(self):
        order = self._create_quotation()
        self.assertTrue(order.is_subscription)
        self.assertEqual(order.subscription_state, "1_draft")

    def test_order_without_plan_is_none(self):
        order = self._create_quotation(self.setup_fee, plan_id=False)
        order.action_confirm()
        self.assertFalse(order.is_subscription)
        self.assertFalse(order.subscription_state)
        self.assertFalse(order.next_invoice_date)

    def test_plan_given_and_taken_before_confirming(self):
        order = self._create_quotation(plan_id=False)
        order.plan_id = self.plan
        self.assertEqual(order.subscription_state, "1_draft")
        order.plan_id = False
        self.assertFalse(order.subscription_state)
        self.assertFalse(order.is_subscription)

    def test_upsell_is_no_subscription_itself(self):
        order = self._create_quotation(subscription_id=self._create_subscription().id)
        order.subscription_state = "7_upsell"
        self.assertFalse(order.is_subscription)

    @freeze_time("2026-03-05")
    def test_confirm_starts_today(self):
        order = self._create_quotation()
        order.action_confirm()
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertEqual(order.start_date, date(2026, 3, 5))
        self.assertDates(order, None, "2026-03-05")

    @freeze_time("2026-03-05")
    def test_confirm_keeps_the_dates_that_were_set(self):
        order = self._create_quotation(
            start_date="2026-03-10", next_invoice_date="2026-04-01"
        )
        order.action_confirm()
        self.assertEqual(order.start_date, date(2026, 3, 10))
        self.assertDates(order, None, "2026-04-01")

    def test_first_invoice_before_start_is_refused(self):
        order = self._create_quotation(
            start_date="2026-03-10", next_invoice_date="2026-03-09"
        )
        with self.assertRaisesRegex(ValidationError, "before the start"):
            order.action_confirm()

    def test_order_without_recurring_line_can_be_confirmed(self):
        """Usage lines are added later, by the module that rates usage."""
        order = self._create_quotation(self.setup_fee)
        order.action_confirm()
        self.assertEqual(order.subscription_state, "3_progress")

    def test_end_before_start_is_refused_by_the_database(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self._create_quotation(start_date="2026-03-10", end_date="2026-03-09")

    def test_running_subscription_keeps_its_plan(self):
        order = self._create_subscription()
        with self.assertRaisesRegex(UserError, "needs its plan"):
            order.plan_id = False

    def test_plan_in_use_cannot_be_deleted(self):
        self._create_quotation()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.plan.unlink()

    def test_copy_is_a_fresh_quotation(self):
        order = self._create_subscription(end_date="2026-12-31")
        self._run_cron("2026-01-01")
        copy = order.copy()
        self.assertEqual(copy.plan_id, self.plan)
        self.assertEqual(copy.subscription_state, "1_draft")
        self.assertFalse(
            copy.start_date
            or copy.next_invoice_date
            or copy.last_invoice_date
            or copy.end_date
            or copy.billing_anchor_date
            or copy.subscription_period_ids
        )

    @freeze_time("2026-03-20")
    def test_close_with_reason(self):
        reason = self.env.ref("sale_subscription.close_reason_too_expensive")
        order = self._create_subscription()
        order.set_close(reason.id)
        self.assertEqual(order.subscription_state, "6_churn")
        self.assertEqual(order.close_reason_id, reason)
        self.assertEqual(order.end_date, date(2026, 3, 20))

    def test_close_without_reason(self):
        order = self._create_subscription()
        order.set_close()
        self.assertEqual(order.subscription_state, "6_churn")
        self.assertFalse(order.close_reason_id)

    @freeze_time("2026-03-20")
    def test_close_before_the_start(self):
        order = self._create_quotation(start_date="2026-04-01")
        order.action_confirm()
        order.set_close()
        self.assertEqual(order.end_date, date(2026, 4, 1))

    def test_close_wizard(self):
        reason = self.env.ref("sale_subscription.close_reason_no_need")
        orders = self._create_subscription() + self._create_subscription()
        action = orders.action_open_close_wizard()
        wizard = self.env[action["res_model"]].with_context(**action["context"])
        wizard.create({"close_reason_id": reason.id}).action_close()
        self.assertEqual(set(orders.mapped("subscription_state")), {"6_churn"})
        self.assertEqual(orders.close_reason_id, reason)

    def test_quotation_cannot_be_closed(self):
        with self.assertRaises(UserError):
            self._create_quotation().set_close()

    def test_close_twice_is_refused(self):
        order = self._create_subscription()
        order.set_close()
        with self.assertRaises(UserError):
            order.set_close()

    @freeze_time("2026-03-20")
    def test_reopen_forgets_reason_and_end(self):
        order = self._create_subscription()
        order.set_close(self.env.ref("sale_subscription.close_reason_no_need").id)
        order.set_open()
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertFalse(order.close_reason_id)
        self.assertFalse(order.end_date)

    def test_reopen_does_not_invoice_the_time_closed(self):
        """Closed 20 February, opened 10 May: 31 May is the next boundary.

        From 10 to 30 May it runs 21 of the 31 days from 30 April on: 6.77.
        """
        order = self._create_subscription(start="2026-01-31")
        self._run_cron("2026-01-31")
        with freeze_time("2026-02-20"):
            order.set_close()
        with freeze_time("2026-05-10"):
            order.set_open()
        self.assertDates(order, "2026-04-30", "2026-05-31")
        invoice = self._run_cron("2026-05-10")
        self.assertEqual(invoice.amount_total, 6.77)
        self.assertEqual(
            invoice.invoice_line_ids.name.splitlines()[-1],
            "Resumed: 05/10/2026 to 05/30/2026 (21 of 31 days)",
        )
        self.assertDates(order, "2026-04-30", "2026-05-31")
        self.assertFalse(self._run_cron("2026-05-30"))
        self.assertEqual(self._run_cron("2026-05-31").amount_total, 10)
        self.assertDates(order, "2026-05-31", "2026-06-30")

    def test_pause_within_a_paid_period_changes_no_date(self):
        order = self._create_subscription(start="2026-01-31")
        self._run_cron("2026-01-31")
        with freeze_time("2026-02-05"):
            order.pause_subscription()
            self.assertEqual(order.subscription_state, "4_paused")
            order.resume_subscription()
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertDates(order, "2026-01-31", "2026-02-28")

    def test_paused_is_not_invoiced(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        order.pause_subscription()
        self.assertFalse(self._run_cron("2026-04-01"))
        with freeze_time("2026-04-10"):
            order.resume_subscription()
        self.assertDates(order, "2026-04-01", "2026-05-01")

    def test_only_paused_can_be_resumed(self):
        order = self._create_subscription()
        with self.assertRaisesRegex(UserError, "not paused"):
            order.resume_subscription()

    def test_quotation_cannot_be_opened(self):
        with self.assertRaisesRegex(UserError, "not a confirmed"):
            self._create_quotation().set_open()

    def test_cancel_ends_it_and_draft_makes_it_a_quotation(self):
        order = self._create_subscription()
        order._action_cancel()
        self.assertEqual(order.subscription_state, "6_churn")
        order.action_draft()
        self.assertEqual(order.subscription_state, "1_draft")
        self.assertFalse(order.end_date)

    def test_cancelled_quotation_stays_a_quotation(self):
        order = self._create_quotation()
        order._action_cancel()
        self.assertEqual(order.subscription_state, "1_draft")

    # === EXPIRY ===

    def test_expires_on_its_end_date(self):
        order = self._create_subscription(end_date="2026-02-01")
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-31"):
            self.assertNotIn({"so_id": order.id}, order._get_expired_subscriptions())
        with freeze_time("2026-02-01"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "6_churn")
        self.assertEqual(order.end_date, date(2026, 2, 1))

    def test_expires_only_after_its_last_period_was_invoiced(self):
        order = self._create_subscription(end_date="2026-02-15")
        self._run_cron("2026-01-01")
        with freeze_time("2026-03-05"):
            self.env["sale.order"]._cron_subscription_expiration()
            self.assertEqual(order.subscription_state, "3_progress")
        self.assertEqual(len(self._run_cron("2026-03-05")), 1)
        with freeze_time("2026-03-05"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "6_churn")
        self.assertEqual(order.end_date, date(2026, 2, 15))

    def test_paused_expires_too(self):
        order = self._create_subscription(end_date="2026-02-15")
        order.pause_subscription()
        with freeze_time("2026-02-15"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "6_churn")

    def test_unpaid_is_closed_after_the_days_of_the_plan(self):
        """Invoiced and due 1 January, limit 14 days: closed on the 16th."""
        self.plan.auto_close_limit = 14
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-15"):
            self.env["sale.order"]._cron_subscription_expiration()
            self.assertEqual(order.subscription_state, "3_progress")
        with freeze_time("2026-01-16"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "6_churn")
        self.assertEqual(
            order.close_reason_id, self.env.ref("sale_subscription.close_reason_unpaid")
        )

    def test_unpaid_without_a_limit_goes_on(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2027-01-16"):
            self.assertEqual(self.env["sale.order"]._handle_unpaid_subscriptions(), {})
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "3_progress")

    # === FIGURES ===

    def test_monthly_recurring(self):
        """10 per period: month 10, quarter 3.33, year 0.83, week 10 * 30.436875 / 7."""
        for unit, value, expected in (
            ("month", 1, 10.0),
            ("month", 3, 3.33),
            ("year", 1, 0.83),
            ("year", 2, 0.42),
            ("week", 1, 43.48),
            ("week", 4, 10.87),
        ):
            plan = self._create_plan(
                billing_period_unit=unit, billing_period_value=value
            )
            order = self._create_quotation(self.fee, self.setup_fee, plan_id=plan.id)
            with self.subTest(unit=unit, value=value):
                self.assertAlmostEqual(order.recurring_monthly, expected, places=2)

    def test_no_upsell_activity(self):
        order = self._create_subscription(user_id=self.env.user.id)
        order.order_line.qty_delivered = 5
        self.env.flush_all()
        self.assertFalse(order.activity_ids)

    def test_upsell_activity_of_ordinary_orders_is_kept(self):
        order = self._create_quotation(
            self.setup_fee, plan_id=False, user_id=self.env.user.id
        )
        order.action_confirm()
        order._create_invoices()._post()
        order.order_line.qty_delivered = 5
        self.env.flush_all()
        self.assertTrue(order.activity_ids)
