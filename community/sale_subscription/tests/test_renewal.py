from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestRenewal(SubscriptionCase):
    def setUp(self):
        super().setUp()
        self.order = self._create_subscription(
            self.fee, self.setup_fee, start="2026-01-31"
        )
        self._run_cron("2026-01-31")

    def _create_renewal(self, day="2026-02-10"):
        with freeze_time(day):
            return self.order._create_upsell_renew_order("2_renewal")

    def _renew(self, day="2026-02-10", **values):
        renewal = self._create_renewal(day)
        renewal.write(values)
        with freeze_time(day):
            renewal.action_confirm()
        return renewal

    def test_quotation_has_what_recurs(self):
        self.order.order_line[0].write({"product_uom_qty": 4, "price_unit": 9})
        renewal = self._create_renewal()
        self.assertEqual(renewal.subscription_state, "2_renewal")
        self.assertTrue(renewal.is_subscription)
        self.assertEqual(renewal.subscription_id, self.order)
        self.assertEqual(renewal.plan_id, self.plan)
        line = renewal.order_line
        self.assertEqual(line.product_id, self.fee)
        self.assertEqual((line.product_uom_qty, line.price_unit), (4, 9))
        self.assertEqual(line.parent_line_id, self.order.order_line[0])
        self.assertEqual(renewal.start_date, date(2026, 2, 28))

    def test_confirmed_it_runs_and_the_old_one_is_renewed(self):
        renewal = self._renew()
        self.assertEqual(self.order.subscription_state, "5_renewed")
        self.assertEqual(renewal.subscription_state, "3_progress")
        self.assertDates(renewal, None, "2026-02-28")

    def test_no_day_is_invoiced_twice_or_not_at_all(self):
        """The old one up to 27 February, the new one from the 28th on."""
        renewal = self._renew()
        self.assertFalse(self._run_cron("2026-02-27"))
        invoice = self._run_cron("2026-02-28")
        self.assertEqual(invoice.line_ids.subscription_id, renewal)
        self.assertEqual(invoice.amount_total, 10)
        # The 31st of the old one is not forgotten.
        self.assertDates(renewal, "2026-02-28", "2026-03-31")

    def test_accepted_late_it_begins_after_what_was_invoiced(self):
        renewal = self._create_renewal()
        self._run_cron("2026-02-28")
        with freeze_time("2026-03-05"):
            renewal.action_confirm()
        self.assertEqual(str(renewal.start_date), "2026-03-31")
        self.assertDates(renewal, None, "2026-03-31")

    def test_missed_periods_are_invoiced_by_the_old_one(self):
        """At its price: three periods of 10.00, before one of 25.00 takes over."""
        renewal = self._create_renewal("2026-05-05")
        self.assertEqual(str(renewal.start_date), "2026-05-31")
        renewal.order_line.price_unit = 25
        with freeze_time("2026-05-05"):
            renewal.action_confirm()
        # The first had the setup of 40.00.
        amounts = self.order.invoice_ids.sorted("invoice_date").mapped("amount_total")
        self.assertEqual(amounts, [50, 10, 10, 10])
        self.assertEqual(set(self.order.invoice_ids.mapped("state")), {"posted"})
        self.assertDates(renewal, None, "2026-05-31")
        self.assertFalse(self._run_cron("2026-05-30"))
        self.assertEqual(self._run_cron("2026-05-31").amount_total, 25)

    def test_what_is_due_from_the_agreed_day_on_is_the_new_ones(self):
        """Agreed in February for 28 February on, accepted in May: nothing twice."""
        renewal = self._create_renewal("2026-02-10")
        with freeze_time("2026-05-05"):
            renewal.action_confirm()
        self.assertEqual(len(self.order.invoice_ids), 1)
        self.assertEqual(str(renewal.start_date), "2026-02-28")
        self.assertEqual(len(self._run_cron("2026-05-05")), 3)
        self.assertDates(renewal, "2026-04-30", "2026-05-31")

    def test_a_later_start_leaves_no_period_out(self):
        """From 31 March on, confirmed on 5 March: 28 February is the old one's."""
        renewal = self._renew(day="2026-03-05", start_date="2026-03-31")
        amounts = self.order.invoice_ids.sorted("invoice_date").mapped("amount_total")
        self.assertEqual(amounts, [50, 10])
        self.assertDates(renewal, None, "2026-03-31")

    def test_dates_that_are_past_are_not_replaced_in_silence(self):
        """28 February was agreed; by then the old one has invoiced up to 30 March."""
        renewal = self._create_renewal()
        self._run_cron("2026-02-28")
        with freeze_time("2026-03-05"):
            renewal.action_confirm()
        [note] = renewal.message_ids.filtered(lambda m: "not on" in (m.body or ""))
        self.assertIn("It starts on 03/31/2026, not on 02/28/2026", note.body)

    def test_closed_one_begins_again_today(self):
        with freeze_time("2026-02-10"):
            self.order.set_close()
        renewal = self._renew(day="2026-06-15")
        self.assertEqual(str(renewal.start_date), "2026-06-15")
        self.assertEqual(self.order.subscription_state, "5_renewed")

    def test_closed_one_keeps_what_was_paid(self):
        """Closed on the 10th, paid up to the 27th."""
        with freeze_time("2026-02-10"):
            self.order.set_close()
        renewal = self._renew(day="2026-02-12")
        self.assertEqual(str(renewal.start_date), "2026-02-28")

    def test_other_plan(self):
        yearly = self._create_plan(billing_period_unit="year")
        renewal = self._renew(plan_id=yearly.id)
        self._run_cron("2026-02-28")
        self.assertDates(renewal, "2026-02-28", "2027-02-28")

    def test_later_start_is_kept(self):
        renewal = self._renew(start_date="2026-03-15")
        self.assertDates(renewal, None, "2026-03-15")

    def test_template_duration_counts_from_the_new_start(self):
        """Three periods of a subscription of the 31st: the last one ends on 31 May."""
        self.order.sale_order_template_id = self.env["sale.order.template"].create(
            {"name": "Quarter", "is_unlimited": False, "duration_value": 3}
        )
        self.assertEqual(str(self._renew().end_date), "2026-05-31")

    def test_end_before_its_start_is_refused(self):
        with self.assertRaisesRegex(UserError, "must be later"):
            self._renew(start_date=False, end_date="2026-02-20")

    def test_draft_invoice_of_the_old_one_bars_the_way(self):
        self.plan.invoice_posting = "draft"
        draft = self._run_cron("2026-02-28")
        renewal = self._create_renewal("2026-02-28")
        with freeze_time("2026-02-28"):
            with self.assertRaisesRegex(UserError, "draft invoice"):
                with self.env.cr.savepoint():
                    renewal.action_confirm()
            draft.action_post()
            renewal.action_confirm()
        self.assertDates(renewal, None, "2026-03-31")

    def test_one_renewal_only(self):
        renewal = self._create_renewal()
        self.assertEqual(self.order.renewal_id, renewal)
        with self.assertRaisesRegex(UserError, "already has a renewal"):
            self._create_renewal()
        self.assertEqual(self.order.prepare_renewal_order()["res_id"], renewal.id)

    def test_another_one_after_the_first_was_cancelled(self):
        self._create_renewal()._action_cancel()
        self.assertFalse(self.order.renewal_id)
        self.assertTrue(self._create_renewal())

    def test_quotation_cannot_be_renewed(self):
        with self.assertRaisesRegex(UserError, "can be renewed"):
            self._create_quotation().prepare_renewal_order()

    def test_renewed_cannot_be_renewed_again(self):
        self._renew()
        self.order.invalidate_recordset()
        with self.assertRaises(UserError):
            self.order._create_upsell_renew_order("2_renewal")

    def test_renewed_cannot_be_reopened_beside_its_renewal(self):
        self._renew()
        with self.assertRaisesRegex(UserError, "continues as"):
            self.order.set_open()

    def test_opened_beside_another_that_one_is_paid_up_to_a_later_day(self):
        """The first was opened from the day up to which its renewal was paid, and so
        was the second one.
        """
        other = self._create_subscription(start="2026-01-15")
        self._run_cron("2026-01-15")
        with freeze_time("2026-02-10"):
            other.set_close()
        renewal = self._renew()
        self._run_cron("2026-02-28")
        with freeze_time("2026-03-01"):
            renewal._action_cancel()
            (self.order | other).set_open()
        self.assertEqual(self.order.next_invoice_date, date(2026, 3, 31))
        self.assertEqual(other.next_invoice_date, date(2026, 3, 15))
        days = other.order_line.filtered("charged_from")
        self.assertEqual(days.charged_from, date(2026, 3, 1))
        self.assertEqual(days.price_subtotal, 5)  # 14 of 28 days

    def test_delivered_hours_of_the_old_one_can_still_be_invoiced(self):
        order = self._create_subscription(self.fee, self.hours, start="2026-01-31")
        self._run_cron("2026-01-31")
        order.order_line[1].qty_delivered = 5
        self.order = order
        renewal = self._renew()
        self.assertEqual(order.invoice_status, "to invoice")
        self.assertEqual(order._create_invoices().amount_total, 15)
        self.assertEqual(renewal.order_line[1].qty_delivered, 0)

    def test_cancelled_before_its_first_invoice_the_old_one_goes_on(self):
        """And nobody churned."""
        renewal = self._renew()
        renewal._action_cancel()
        self.assertEqual(self.order.subscription_state, "3_progress")
        self.assertEqual(
            self._run_cron("2026-02-28").line_ids.subscription_id, self.order
        )
        self.assertLog(
            self.order, ("new", 10), ("transfer_out", -10), ("transfer_in", 10)
        )
        self.assertLog(renewal, ("transfer_in", 10), ("transfer_out", -10))

    def test_cancelled_after_its_first_invoice_it_churns(self):
        renewal = self._renew()
        self._run_cron("2026-02-28")
        renewal._action_cancel()
        self.assertEqual(renewal.subscription_state, "6_churn")
        self.assertEqual(self.order.subscription_state, "5_renewed")

    def test_cancelled_and_set_to_draft_it_is_a_renewal_quotation(self):
        renewal = self._renew()
        renewal._action_cancel()
        renewal.action_draft()
        self.assertEqual(renewal.subscription_state, "2_renewal")
        with freeze_time("2026-02-11"):
            renewal.action_confirm()
        self.assertEqual(self.order.subscription_state, "5_renewed")

    def test_mrr_moves_over(self):
        renewal = self._renew()
        self.assertLog(self.order, ("new", 10), ("transfer_out", -10))
        self.assertLog(renewal, ("transfer_in", 10))
        self.assertEqual(renewal.sale_order_log_ids.active_change, 1)

    def test_mrr_that_is_more_is_expansion(self):
        renewal = self._create_renewal()
        renewal.order_line.product_uom_qty = 3
        with freeze_time("2026-02-10"):
            renewal.action_confirm()
        self.assertLog(renewal, ("transfer_in", 10), ("expansion", 20))

    def test_cancelled_renewal_of_a_closed_one_leaves_it_closed(self):
        with freeze_time("2026-02-10"):
            self.order.set_close()
        self._renew(day="2026-06-15")._action_cancel()
        self.assertEqual(self.order.subscription_state, "6_churn")

    def test_cancelled_renewal_of_a_paused_one_leaves_it_paused(self):
        self.order.pause_subscription()
        self._renew()._action_cancel()
        self.assertEqual(self.order.subscription_state, "4_paused")

    def test_mrr_of_a_closed_one_comes_back_as_reopened(self):
        with freeze_time("2026-02-10"):
            self.order.set_close()
        renewal = self._renew(day="2026-06-15")
        self.assertLog(self.order, ("new", 10), ("churn", -10), ("transfer_out", 0))
        self.assertLog(renewal, ("reopen", 10))

    def test_renewal_of_a_renewal(self):
        first = self._renew()
        self._run_cron("2026-02-28")
        self.order = first
        second = self._renew(day="2026-03-10")
        self.assertDates(second, None, "2026-03-31")
        self._run_cron("2026-03-31")
        self.assertDates(second, "2026-03-31", "2026-04-30")
