from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .every_day_case import EveryDayCase


@tagged("post_install", "-at_install")
class TestEveryDayOnce(EveryDayCase):
    """Every day a subscription runs is charged once: each of these once was not."""

    # === UPSELL IN A PERIOD CUT SHORT ===

    def test_upsell_in_the_first_days_of_an_aligned_plan(self):
        """12 of the 31 days of January, not of the 17 that were left at the start."""
        order = self._subscribe("2026-01-15", plan_id=self.aligned.id)
        self.assertEqual(self._upsell(order, "2026-01-20").amount_untaxed, 12)

    def test_upsell_before_the_end_date(self):
        """8 to 14 January: what ends on the 15th is not charged up to the 31st."""
        order = self._subscribe(end_date="2026-01-15")
        self.assertEqual(order.invoice_ids.amount_untaxed, 14)
        self.assertEqual(self._upsell(order, "2026-01-08").amount_untaxed, 7)

    def test_upsell_between_a_plan_change_and_the_next_period(self):
        """At the yearly price of 365.00 a day costs 1.00, also in January."""
        order = self._subscribe()
        with freeze_time("2026-01-15"):
            order.change_plan(self.yearly)
            order.order_line.price_unit = 365
        self.assertEqual(self._upsell(order, "2026-01-20").amount_untaxed, 12)

    def test_upsell_quoted_before_a_plan_change_is_out_of_date(self):
        order = self._subscribe()
        with freeze_time("2026-01-10"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.product_uom_qty = 1
        with freeze_time("2026-01-15"):
            order.change_plan(self.yearly)
            order.order_line.price_unit = 365
            with self.assertRaisesRegex(UserError, "Update its dates"):
                with self.env.cr.savepoint():
                    upsell.action_confirm()
            upsell.action_update_upsell_dates()
            self.assertEqual(upsell.amount_untaxed, 17)
            upsell.action_confirm()
        self.assertEqual(order.order_line.product_uom_qty, 2)

    def test_more_of_the_same_costs_the_agreed_price(self):
        """A new list price does not come in by the quantity."""
        order = self._subscribe()
        self.base.list_price = 62
        upsell = self._upsell(order, "2026-01-11", 2)
        self.assertEqual(upsell.amount_untaxed, 42)
        self.assertEqual(order.order_line.product_uom_qty, 3)

    def test_delivered_product_of_an_upsell_joins_and_is_billed_there(self):
        order = self._subscribe()
        upsell = self._upsell(order, "2026-01-11", 1, self.hours)
        line = order.order_line[1]
        self.assertEqual((line.product_id, line.product_uom_qty), (self.hours, 1))
        line.qty_delivered = 5
        with freeze_time("2026-02-01"):
            order._create_recurring_invoice()
        self.assertEqual(self._untaxed(order, upsell), 31 + 31 + 15)

    # === CREDIT OF A PLAN CHANGE TODAY ===

    def test_credit_of_a_period_that_the_end_date_cut(self):
        """Charged 14.00 for 1 to 14 January; 7 of these days are left."""
        order = self._subscribe(end_date="2026-01-15")
        self._change_today(order, "2026-01-08")
        self.assertEqual(self._credits(order).price_subtotal, -7)

    def test_credit_of_two_upsells_on_one_invoice(self):
        order = self._subscribe()
        upsells = self._upsell(order, "2026-01-11") + self._upsell(order, "2026-01-11")
        with freeze_time("2026-01-11"):
            upsells._create_invoices().action_post()
        self._change_today(order, "2026-01-21")
        self.assertEqual(sum(self._credits(order).mapped("price_subtotal")), -33)

    def test_credit_leaves_an_upsell_of_the_period_before_alone(self):
        """It came on the invoice of March, but charged days of February."""
        order = self._subscribe("2026-02-01")
        upsell = self._upsell(order, "2026-02-15")
        with freeze_time("2026-03-01"):
            (order + upsell)._create_invoices().action_post()
        self._change_today(order, "2026-03-21")
        self.assertEqual(sum(self._credits(order).mapped("price_subtotal")), -22)

    def test_credit_of_a_period_that_was_a_credit_note(self):
        """Yearly at 365.00 changed on 31 January: 31.00 less 335.00 is a credit note.

        What is unused of its 31.00 (28 days) is credited on the next change: half.
        """
        order = self._subscribe(plan_id=self.yearly.id)
        order.invoice_ids.button_draft()
        order.invoice_ids.invoice_line_ids.price_unit = 365
        with freeze_time("2026-01-01"):
            order.invoice_ids.action_post()
        with freeze_time("2026-01-31"):
            order.change_plan(self.plan, "now")
            refund = order._create_recurring_invoice()
        self.assertEqual((refund.move_type, refund.amount_total), ("out_refund", 304))
        self._change_today(order, "2026-02-14")
        self.assertEqual(self._credits(order)[1].price_subtotal, -15.5)

    def test_credit_of_what_a_credit_note_left(self):
        """31.00 less 20.00: of the 11.00 left, 10 of 31 days."""
        order = self._subscribe()
        with freeze_time("2026-01-05"):
            refund = order.invoice_ids._reverse_moves()
            refund.invoice_line_ids.price_unit = 20
            refund.action_post()
        self._change_today(order, "2026-01-22")
        self.assertEqual(self._credits(order).price_subtotal, -3.55)

    def test_no_credit_of_a_paid_invoice_that_was_refunded(self):
        order = self._subscribe()
        with freeze_time("2026-01-05"):
            refund = order.invoice_ids._reverse_moves()
            refund.action_post()
        self._change_today(order, "2026-01-21")
        self.assertFalse(self._credits(order))

    def test_plan_change_waits_for_an_invoice_set_back_to_draft(self):
        order = self._subscribe()
        order.invoice_ids.button_draft()
        with self.assertRaisesRegex(UserError, "Some current charges"):
            self._change_today(order, "2026-01-21")

    def test_lines_add_up_to_the_total(self):
        """Two lines of 10.333...: 10.33 each, and 20.66 together."""
        self.company.tax_calculation_rounding_method = "round_globally"
        order = self._create_subscription(
            self.base, self.base, start="2026-03-01", end_date="2026-03-11"
        )
        order.order_line.price_unit = 32.03
        with freeze_time("2026-03-01"):
            invoice = order._create_recurring_invoice()
        amounts = invoice.invoice_line_ids.mapped("price_subtotal")
        self.assertEqual(amounts, [10.33, 10.33])
        self.assertEqual(invoice.amount_total, 20.66)

    # === END DATE ===

    def test_renewal_begins_where_the_end_date_cut(self):
        order = self._subscribe(end_date="2026-01-15")
        with freeze_time("2026-01-10"):
            renewal = order._create_upsell_renew_order("2_renewal")
            self.assertEqual(renewal.start_date, date(2026, 1, 15))
            renewal.action_confirm()
        self._run_cron("2026-02-01")
        self.assertEqual(self._untaxed(order, renewal), 14 + 31)
        self.assertDates(renewal, "2026-01-15", "2026-02-15")

    def test_end_date_taken_away_again(self):
        order = self._subscribe(end_date="2026-01-15")
        order.end_date = False
        self._run_cron("2026-02-01")
        self.assertEqual(self._untaxed(order), 14 + 17 + 31)
        self.assertDates(order, "2026-02-01", "2026-03-01")

    def test_end_date_put_off(self):
        order = self._subscribe(end_date="2026-01-15")
        order.end_date = "2026-01-20"
        self._run_cron("2026-02-01")
        self.assertEqual(self._untaxed(order), 19)

    def test_opened_again_on_the_day_it_expired(self):
        order = self._subscribe(end_date="2026-01-15")
        with freeze_time("2026-01-15"):
            self.env["sale.order"]._cron_subscription_expiration()
            self.assertEqual(order.subscription_state, "6_churn")
            order.set_open()
        self._run_cron("2026-01-15")
        self.assertEqual(self._untaxed(order), 31)

    def test_month_from_30_april_of_a_subscription_of_the_31st(self):
        """It ends with its period on 31 May: nothing is cut off."""
        plan = self._create_plan(contract_length=1)
        order = self._subscribe("2026-03-31", plan_id=plan.id)
        with freeze_time("2026-04-10"):
            renewal = order._create_upsell_renew_order("2_renewal")
            renewal.action_confirm()
        self.assertEqual(renewal.end_date, date(2026, 5, 31))
        self.assertEqual(self._run_cron("2026-04-30").amount_untaxed, 31)
