from datetime import date

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from ... import uninstall_hook
from ..common import BillingCase

FEBRUARY = date(2026, 2, 1), date(2026, 3, 1)
MARCH = date(2026, 3, 1), date(2026, 4, 1)


@tagged("post_install", "-at_install")
class TestBilledOnce(BillingCase):
    """Changes around an invoice: each of these once billed usage twice, or never.

    The charge costs 0.50 a call above 100. January has 200 calls: 50.00.
    """

    def setUp(self):
        super().setUp()
        self._record(200)

    def _invoice(self, window=None):
        """Invoice the open window, post, and move on. Returns the usage amount."""
        move = self.order._create_invoices()
        move.action_post()
        if window:
            self._set_window(self.order, *window)
        return self._usage_amount(move)

    def _usage_amount(self, moves):
        lines = moves.invoice_line_ids.filtered(
            lambda line: line.product_id == self.usage_product
        )
        return sum(lines.mapped("price_subtotal"))

    def _open_amount(self):
        self.order._fc_rate_usage()
        return sum(self.order.order_line.filtered("fc_charge_id").mapped("price_unit"))

    # -- after an invoice ------------------------------------------------------

    def test_a_released_window_beside_the_open_one_is_billed_once(self):
        """Its rating was not linked to the line, stayed open, and came again."""
        move = self.order._create_invoices()
        move.action_post()
        self._set_window(self.order, *FEBRUARY)
        self._record(103, "2026-02-02 00:00:00")
        self.order._fc_rate_usage()
        move.button_draft()
        move.button_cancel()
        self.assertEqual(self._invoice(MARCH), 51.5)
        self.assertEqual(self._open_amount(), 0.0)

    def test_a_new_price_leaves_the_invoiced_window_alone(self):
        self.assertEqual(self._invoice(FEBRUARY), 50.0)
        self.charge.price_per_unit = 1.0
        self.assertEqual(self._open_amount(), 0.0)
        # and late usage of January costs what January cost
        self._record(10, "2026-01-20 00:00:00")
        self.assertEqual(self._open_amount(), 5.0)

    def test_late_usage_costs_what_was_agreed_when_the_window_was_invoiced(self):
        """Within the quota a new price changed no amount, and was not noted."""
        order = self._create_subscription()
        self._record(90, order=order)
        order._fc_rate_usage()
        self.charge.price_per_unit = 2.0
        order._create_invoices().action_post()
        self._set_window(order, *FEBRUARY)
        self.charge.price_per_unit = 9.0
        self._record(30, "2026-01-20 00:00:00", order=order)
        order._fc_rate_usage()
        self.assertEqual(self._usage_line(order).price_unit, 40.0)

    def test_a_new_plan_leaves_the_invoiced_window_alone(self):
        self._invoice(FEBRUARY)
        self.order.plan_id = self._create_plan(name="Other plan")
        self._create_charge(plan_id=self.order.plan_id.id, price_per_unit=9.0)
        self.assertEqual(self._open_amount(), 0.0)

    def test_a_replaced_charge_leaves_the_invoiced_window_alone(self):
        self._invoice(FEBRUARY)
        self.charge.active = False
        self._create_charge(price_per_unit=9.0)
        self.assertEqual(self._open_amount(), 0.0)

    def test_a_new_charge_does_not_bill_what_was_free(self):
        self.charge.active = False
        self.assertEqual(self._invoice(FEBRUARY), 0.0)
        self._create_charge()
        self.assertEqual(self._open_amount(), 0.0)

    def test_late_usage_of_a_metric_that_had_none_is_billed(self):
        metric = self._create_metric(code="storage")
        self._create_charge(metric_id=metric.id, included_quota=0)
        self._invoice(FEBRUARY)
        self._record(3, "2026-01-31 00:00:00", metric=metric)
        self.assertEqual(self._open_amount(), 1.5)

    # -- inside the open window ------------------------------------------------

    def _change_plan(self, day="2026-01-20"):
        """To a plan that has no quota and costs 2.00 a call."""
        with freeze_time(day):
            self.order.plan_id = self._create_plan(name="Other plan")
        return self._create_charge(
            plan_id=self.order.plan_id.id, price_per_unit=2.0, included_quota=0
        )

    def test_a_plan_change_inside_a_window_leaves_that_window_alone(self):
        """Its usage was once priced by the new plan, without the quota of the old."""
        self._change_plan()
        self.assertEqual(self._open_amount(), 50.0)
        self.assertEqual(self._invoice(FEBRUARY), 50.0)
        self._record(10, "2026-02-10 00:00:00")
        self.assertEqual(self._open_amount(), 20.0)

    def test_two_plan_changes_inside_a_window_leave_it_alone(self):
        first_plan = self.order.plan_id
        self._change_plan()
        with freeze_time("2026-01-21"):
            self.order.plan_id = self._create_plan(name="Third plan")
        self.assertEqual(self._open_amount(), 50.0)
        self.order.plan_id = first_plan
        self.assertEqual(self._invoice(FEBRUARY), 50.0)

    def test_a_plan_change_and_a_deleted_draft(self):
        self._change_plan()
        self.order._create_invoices().unlink()
        self.assertEqual(self._invoice(FEBRUARY), 50.0)

    def test_a_plan_change_on_the_first_day_leaves_the_window_alone(self):
        """On the form it counts from the next period on, whatever day it is."""
        self._change_plan("2026-01-01")
        self.assertEqual(self._open_amount(), 50.0)

    def test_a_plan_without_charges_leaves_the_window_to_the_next(self):
        """Nothing was priced yet, and nothing is lost."""
        self.charge.active = False
        self._change_plan()
        self.assertEqual(self._open_amount(), 400.0)

    def test_a_charge_replaced_inside_a_window_prices_the_usage_once(self):
        self.assertEqual(self._open_amount(), 50.0)
        self.charge.active = False
        self._create_charge(price_per_unit=2.0)
        self.assertEqual(self._open_amount(), 200.0)

    def test_of_charges_in_two_currencies_the_orders_own_counts(self):
        other = self.env["res.currency"].create({"name": "XTA", "symbol": "xta"})
        self._create_charge(currency_id=other.id, price_per_unit=9.0)
        self.assertEqual(self._open_amount(), 50.0)

    def test_a_moved_start_prices_the_usage_once(self):
        self.order.last_invoice_date = False
        self.assertEqual(self._open_amount(), 50.0)
        self.order.start_date = "2026-01-05"
        self.assertEqual(self._open_amount(), 50.0)

    def test_a_new_time_zone_prices_the_usage_once(self):
        self.assertEqual(self._open_amount(), 50.0)
        self.company.fc_billing_tz = "America/Toronto"
        self.assertEqual(self._open_amount(), 50.0)

    def test_a_new_time_zone_leaves_no_gap_and_no_overlap(self):
        self._record(7, "2026-01-31 23:30:00")
        with freeze_time("2026-02-10"):
            self._invoice(FEBRUARY)
            self.company.fc_billing_tz = "Europe/Brussels"  # UTC+1
        window = self.order._fc_window()
        self.assertEqual(str(window.start), "2026-02-01 00:00:00")
        self.assertEqual(str(window.end), "2026-02-28 23:00:00")
        self.assertEqual(self._open_amount(), 0.0)

    def test_what_was_replaced_inside_a_window_stays_replaced(self):
        """Once the window was the last one, the old charge came back to life."""
        self.assertEqual(self._open_amount(), 50.0)
        self.charge.active = False
        self._create_charge(price_per_unit=2.0)
        self.assertEqual(self._invoice(FEBRUARY), 200.0)
        self.assertEqual(self._open_amount(), 0.0)

    @freeze_time("2026-02-10")
    def test_an_invoice_of_something_else_leaves_the_last_window_known(self):
        event = self._record(50, "2026-01-11 00:00:00")
        self.assertEqual(self._invoice(FEBRUARY), 75.0)
        self.order.order_line = [
            Command.create(
                {
                    "product_id": self._create_product(recurring_invoice=False).id,
                    "price_unit": 5.0,
                }
            )
        ]
        self.order._create_invoices().action_post()
        event._void("sent twice")
        self.assertEqual(self._open_amount(), -25.0)
        self.company.fc_billing_tz = "Asia/Tokyo"
        self.assertEqual(self._open_amount(), -25.0)

    def test_a_window_that_came_to_nothing_keeps_its_price(self):
        order = self._create_subscription()
        self._record(30, order=order)
        order._create_invoices().action_post()
        self.charge.included_quota = 10
        self._record(30, "2026-01-20 00:00:00", order=order)
        order._fc_rate_usage()
        self.assertFalse(self._usage_line(order))

    # -- several windows -------------------------------------------------------

    @freeze_time("2026-04-15")
    def test_missed_runs_are_caught_up_window_by_window(self):
        self._record(300, "2026-02-28 23:59:59")
        self._record(7, "2026-04-01 00:00:00")
        self.order._cron_recurring_create_invoice()
        moves = self.order.invoice_ids.sorted("id")
        # 1 February, 1 March, 1 April; January 100 x 0.50, February 200 x 0.50, March 0
        self.assertEqual([self._usage_amount(m) for m in moves], [50.0, 100.0, 0.0])
        self.assertEqual(moves.mapped("state"), ["posted"] * 3)
        self.assertEqual(self.order.next_invoice_date, date(2026, 5, 1))
        self.order._fc_rate_usage()
        latest = self.order.fc_rating_ids.sorted("window_start")[-1]
        self.assertEqual((latest.quantity, latest.state), (7, "open"))

    @freeze_time("2026-04-15")
    def test_running_the_cron_again_bills_nothing_more(self):
        self.order._cron_recurring_create_invoice()
        before = self.order.invoice_ids
        self.order._cron_recurring_create_invoice()
        self.env["sale.order"]._cron_recurring_create_invoice()
        self.assertEqual(self.order.invoice_ids, before)

    def test_a_credit_of_one_order_leaves_another_on_the_same_invoice_alone(self):
        other = self._create_subscription()
        self._record(300, order=other)
        event = self._record(50, "2026-01-11 00:00:00")
        self._invoice(FEBRUARY)
        event._void("sent twice")
        # -25.00 and two base fees of 10.00 and 200 x 0.50
        move = (self.order | other)._create_invoices()
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_invoice", 95.0))
        self.assertEqual(self._open_amount(), 0.0)

    # -- the end ---------------------------------------------------------------

    @freeze_time("2026-01-30 12:00:00")
    def test_closing_bills_the_last_usage(self):
        """It was never invoiced: nothing is due on a subscription that is closed."""
        self.order.subscription_state = "6_churn"
        move = self.order.invoice_ids
        self.assertEqual(move.state, "posted")
        self.assertEqual(move.invoice_line_ids.product_id, self.usage_product)
        self.assertEqual((move.amount_untaxed, move.invoice_line_ids.quantity), (50, 1))
        self.assertEqual(self.order.fc_rating_ids.state, "invoiced")

    @freeze_time("2026-02-01 12:00:00")
    def test_closing_with_a_draft_bills_what_came_since(self):
        self.order._create_invoices()
        self._record(10, "2026-01-30 00:00:00")
        self.order.subscription_state = "6_churn"
        last = self.order.invoice_ids.sorted("id")[-1]
        self.assertEqual((last.state, last.amount_untaxed), ("posted", 5.0))

    @freeze_time("2026-01-30 12:00:00")
    def test_a_subscription_that_is_opened_again_goes_on_from_zero(self):
        self.order.subscription_state = "6_churn"
        self.order.subscription_state = "3_progress"
        self.assertEqual(self._open_amount(), 0.0)
        self._record(10, "2026-01-30 00:00:00")
        self.assertEqual(self._open_amount(), 5.0)

    @freeze_time("2026-01-30 12:00:00")
    def test_closing_without_usage_makes_no_invoice(self):
        order = self._create_subscription()
        order.subscription_state = "6_churn"
        self.assertFalse(order.invoice_ids)

    @freeze_time("2026-01-31 12:00:00")
    def test_usage_after_the_close_is_for_finance_to_decide(self):
        """Of its windows there is a rating; what lies after them is in none."""
        self.order.subscription_state = "6_churn"
        answer = self._post_usage(
            self._event(quantity=2),
            self._event(
                period_start="2026-02-01T00:00:00Z", period_end="2026-02-01T01:00:00Z"
            ),
        )
        self.assertEqual(
            answer["results"],
            [{"status": "accepted"}, {"status": "accepted", "unallocated": True}],
        )
        self.assertEqual(self._open_amount(), 1.0)

    def test_usage_of_a_pause_is_flagged_and_that_before_it_is_billed(self):
        with freeze_time("2026-01-20"):
            self.order.subscription_state = "4_paused"
        with freeze_time("2026-03-01"):
            during = self._record(9, "2026-02-20 00:00:00")
            self.assertTrue(during.unallocated)
            self._set_window(self.order, *MARCH)
            self.order.subscription_state = "3_progress"
            self.assertTrue(during.unallocated)
            self.assertEqual(self._open_amount(), 50.0)

    def test_a_pause_across_one_boundary_is_flagged(self):
        with freeze_time("2026-01-20"):
            self.order.subscription_state = "4_paused"
        with freeze_time("2026-03-01"):
            during = self._record(9, "2026-02-20 00:00:00")
            before = self._record(9, "2026-01-30 00:00:00")
            self._set_window(self.order, *MARCH)
            self.assertTrue(during.unallocated)
            self.assertFalse(before.unallocated)

    @freeze_time("2026-01-30 12:00:00")
    def test_a_pause_that_ends_on_the_boundary_keeps_what_was_used_before(self):
        self.order.subscription_state = "4_paused"
        self._set_window(self.order, *FEBRUARY)
        self.order.subscription_state = "3_progress"
        self.assertEqual(self._open_amount(), 50.0)

    @freeze_time("2026-02-01 12:00:00")
    def test_a_draft_that_is_posted_after_the_close_brings_the_rest(self):
        draft = self.order._create_invoices()
        self.order.subscription_state = "6_churn"
        self._record(10, "2026-01-30 00:00:00")
        draft.action_post()
        last = self.order.invoice_ids.sorted("id")[-1]
        self.assertEqual((last.state, last.amount_untaxed), ("posted", 5.0))

    @freeze_time("2026-01-31 12:00:00")
    def test_usage_after_the_last_window_of_a_closed_one_is_flagged(self):
        after = self._record(9, "2026-02-01 10:00:00")
        self.assertFalse(after.unallocated)
        self.order.subscription_state = "6_churn"
        self.assertTrue(after.unallocated)

    def test_a_quotation_may_have_its_dates_set(self):
        order = self._create_order(next_invoice_date="2026-02-01")
        order.last_invoice_date = "2026-03-01"
        order.start_date = "2026-01-01"
        order.last_invoice_date = "2026-04-01"
        self.assertFalse(order.fc_rating_ids)

    def test_uninstalling_leaves_no_monthly_fee_behind(self):
        self.assertEqual(self._open_amount(), 50.0)
        uninstall_hook(self.env)
        self.assertEqual(self._usage_line().price_unit, 0.0)

    # -- what people may do to an order or invoice -----------------------------

    def test_a_locked_order_is_rated_and_people_still_may_not_edit_it(self):
        self.order._fc_rate_usage()
        self.order.action_lock()
        self._record(10, "2026-01-20 00:00:00")
        self.assertEqual(self._open_amount(), 55.0)

    def test_a_usage_line_taken_off_a_draft_is_billed_later(self):
        move = self.order._create_invoices()
        move.invoice_line_ids.filtered(
            lambda line: line.product_id == self.usage_product
        ).unlink()
        self.assertEqual(self._open_amount(), 50.0)
        move.action_post()
        self.assertEqual(self._open_amount(), 50.0)

    def test_an_early_invoice_without_amount_keeps_the_quantity_true(self):
        order = self._create_subscription()
        self._record(10, order=order)
        order._create_invoices()
        self._record(20, "2026-01-20 00:00:00", order=order)
        order._fc_rate_usage()
        latest = order.fc_rating_ids.sorted("revision")[-1]
        self.assertEqual(
            (latest.quantity, latest.amount, latest.state), (30, 0, "open")
        )
