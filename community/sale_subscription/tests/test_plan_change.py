from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestPlanChange(SubscriptionCase):
    """Monthly from 30 June 2026 at 100; the yearly price is 1000, a quarter 270."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.yearly = cls._create_plan(name="Yearly", billing_period_unit="year")
        cls.quarterly = cls._create_plan(name="Quarterly", billing_period_value=3)
        cls.base = cls._create_product(name="Base", list_price=100.0)
        for plan, price in ((cls.yearly, 1000), (cls.quarterly, 270)):
            cls.env["product.pricelist.item"].create(
                {
                    "pricelist_id": False,
                    "plan_id": plan.id,
                    "applied_on": "1_product",
                    "product_tmpl_id": cls.base.product_tmpl_id.id,
                    "compute_price": "fixed",
                    "fixed_price": price,
                }
            )

    def setUp(self):
        super().setUp()
        self.order = self._create_subscription(self.base, start="2026-06-30")
        self._run_cron("2026-06-30")

    def _change(self, plan, timing="next_period", day="2026-07-15"):
        with freeze_time(day):
            self.order.change_plan(plan, timing)

    def test_from_the_next_period_on(self):
        self._change(self.yearly)
        self.assertDates(self.order, "2026-06-30", "2026-07-30")
        self.assertFalse(self._run_cron("2026-07-29"))
        self.assertEqual(self._run_cron("2026-07-30").amount_total, 1000)
        self.assertDates(self.order, "2026-07-30", "2027-07-30")

    def test_mrr_changes_with_the_plan(self):
        """1000 a year are 83.33 a month."""
        self._change(self.yearly)
        self.assertLog(self.order, ("new", 100), ("contraction", -16.67))

    def test_change_that_costs_the_same_is_logged_too(self):
        """From then on the MRR is that of the new plan."""
        self._change(self._create_plan())
        self.assertLog(self.order, ("new", 100), ("expansion", 0))

    def test_today_credits_the_unused_days(self):
        """15 of the 30 days from 30 June are left: 1000 - 50."""
        self._change(self.yearly, "now")
        invoice = self._run_cron("2026-07-15")
        self.assertEqual(invoice.invoice_line_ids.mapped("price_subtotal"), [1000, -50])
        self.assertEqual(invoice.amount_total, 950)
        self.assertDates(self.order, "2026-07-15", "2027-07-15")
        self.assertEqual(
            invoice.invoice_line_ids[1].name.splitlines()[-1],
            "Unused on the plan Test plan: 07/15/2026 to 07/29/2026 (15 of 30 days)",
        )

    def test_the_total_of_the_order_is_that_of_the_new_plan(self):
        self._change(self.yearly, "now")
        self.assertEqual(self._run_cron("2026-07-15").amount_total, 950)
        self.assertEqual(self.order.amount_total, 1000)

    def test_cancelled_and_sold_anew_for_a_year(self):
        """Cancelled in August, a year from 20 October on, confirmed that day.

        It was cut to the month before: a year from 30 July on, and 283 of its 365 days
        charged.
        """
        self._run_cron("2026-07-30")
        with freeze_time("2026-08-10"):
            self.order._action_cancel()
            self.order.action_draft()
            self.order.plan_id = self.yearly
        with freeze_time("2026-10-20"):
            self.order.action_confirm()
        self.assertDates(self.order, "2026-07-30", "2026-10-20")
        invoice = self._run_cron("2026-10-20")
        self.assertEqual(invoice.amount_total, 1000)
        self.assertDates(self.order, "2026-10-20", "2027-10-20")

    def test_cancelled_and_sold_anew_before_what_is_paid_ends(self):
        """The year begins on 30 July, when the month that is paid ends."""
        with freeze_time("2026-07-10"):
            self.order._action_cancel()
            self.order.action_draft()
            self.order.plan_id = self.yearly
            self.order.action_confirm()
        self.assertFalse(self._run_cron("2026-07-29"))
        self.assertEqual(self._run_cron("2026-07-30").amount_total, 1000)
        self.assertDates(self.order, "2026-07-30", "2027-07-30")

    def test_credit_is_given_once(self):
        self._change(self.yearly, "now")
        self._run_cron("2026-07-15")
        self.assertEqual(self._run_cron("2027-07-15").amount_total, 1000)

    def test_credit_that_is_more_than_the_new_plan_is_a_credit_note(self):
        """A year of 1000 changed after 1 of 365 days: 100 - 997.26."""
        order = self._create_subscription(
            self.base, start="2026-06-30", plan_id=self.yearly.id
        )
        self._run_cron("2026-06-30")
        self.order = order
        self._change(self.plan, "now", "2026-07-01")
        with freeze_time("2026-07-01"):
            moves = order._create_recurring_invoice()
        self.assertEqual(moves.move_type, "out_refund")
        self.assertEqual(moves.amount_total, 897.26)
        self.assertEqual(moves.state, "posted")
        self.assertDates(order, "2026-07-01", "2026-08-01")

    def test_credit_covers_upsells_of_the_period(self):
        """Upsold on 10 July: 2 x 100 for 20 of 30 days; 15 days are unused."""
        with freeze_time("2026-07-10"):
            upsell = self.order._create_upsell_renew_order("7_upsell")
            upsell.order_line.product_uom_qty = 2
            upsell.action_confirm()
            upsell._create_recurring_invoice()
        self.assertEqual(upsell.invoice_ids.amount_total, 133.33)
        self._change(self.quarterly, "now")
        invoice = self._run_cron("2026-07-15")
        # 3 x 270; half of 100; three quarters of 133.33
        self.assertEqual(
            invoice.invoice_line_ids.mapped("price_subtotal"), [810, -50, -100]
        )

    def test_credit_is_of_what_was_invoiced_not_of_the_order(self):
        """The price was raised after the invoice."""
        self.order.order_line.price_unit = 500
        self._change(self.yearly, "now")
        credit = self.order.order_line[1]
        self.assertEqual(credit.price_subtotal, -50)

    def test_nothing_is_credited_that_a_credit_note_took_back(self):
        with freeze_time("2026-07-02"):
            self.order.invoice_ids._reverse_moves(cancel=True)
        self._change(self.yearly, "now")
        self.assertEqual(self.order.order_line.mapped("price_unit"), [1000])

    def test_credit_has_the_taxes_of_the_invoice(self):
        tax = self.env["account.tax"].create({"name": "Sample 15 %", "amount": 15})
        self.base.taxes_id = tax
        self.order = self._create_subscription(self.base, start="2026-06-30")
        self.assertEqual(self._run_cron("2026-06-30").amount_total, 115)
        self._change(self.yearly, "now")
        self.assertEqual(self._run_cron("2026-07-15").amount_total, 1092.5)

    def test_what_is_not_in_advance_is_not_credited(self):
        self.order = self._create_subscription(
            self.base, self.setup_fee, self.hours, start="2026-06-30"
        )
        self.order.order_line[2].qty_delivered = 5
        self._run_cron("2026-06-30")
        self._change(self.yearly, "now")
        self.assertEqual(self.order.order_line[3:].mapped("price_unit"), [-50])

    def test_price_entered_by_hand_is_kept(self):
        self.order.order_line.price_unit = 80
        self._change(self.yearly)
        self.assertEqual(self.order.order_line.price_unit, 80)

    def test_to_an_aligned_plan(self):
        """From 30 July on: 2 of 31 days, then August."""
        aligned = self._create_plan(billing_first_day=True)
        self._change(aligned)
        self.assertEqual(self._run_cron("2026-07-30").amount_total, 6.45)
        self.assertDates(self.order, "2026-07-30", "2026-08-01")

    def test_to_an_aligned_plan_today(self):
        """From 15 July on: 17 of 31 days of 100, less 50 unused."""
        aligned = self._create_plan(billing_first_day=True)
        self._change(aligned, "now")
        self.assertEqual(self._run_cron("2026-07-15").amount_total, 4.84)
        self.assertDates(self.order, "2026-07-15", "2026-08-01")

    def test_invoiced_periods_do_not_overlap(self):
        self._change(self.yearly, "now")
        self._run_cron("2026-07-15")
        periods = self.order.subscription_period_ids.sorted("period_start")
        self.assertEqual(
            [(str(p.period_start), str(p.period_end)) for p in periods],
            [("2026-06-30", "2026-07-15"), ("2026-07-15", "2027-07-15")],
        )

    def test_copy_and_renewal_leave_the_credit_behind(self):
        self._change(self.yearly, "now")
        self._run_cron("2026-07-15")
        self.assertEqual(self.order.copy().order_line.mapped("price_unit"), [1000])
        renewal = self.order._create_upsell_renew_order("2_renewal")
        self.assertEqual(renewal.order_line.mapped("price_unit"), [1000])

    def test_before_the_first_invoice_there_is_nothing_to_credit(self):
        self.order = self._create_subscription(self.base, start="2026-07-15")
        self._change(self.yearly, "now")
        self.assertEqual(self._run_cron("2026-07-15").amount_total, 1000)

    def test_paused_changes_from_the_next_period_on(self):
        self.order.pause_subscription()
        with self.assertRaisesRegex(UserError, "is paused"):
            self._change(self.yearly, "now")
        self._change(self.yearly)
        self.assertEqual(self.order.plan_id, self.yearly)

    def test_refused_on_the_day_of_its_invoice(self):
        with self.assertRaisesRegex(UserError, "was invoiced today"):
            self._change(self.yearly, "now", "2026-06-30")

    def test_refused_while_a_period_is_due(self):
        with self.assertRaisesRegex(UserError, "is due"):
            self._change(self.yearly, "now", "2026-07-30")

    def test_refused_beside_a_draft_on_the_old_plan(self):
        self.plan.invoice_posting = "draft"
        self._run_cron("2026-07-30")
        with self.assertRaisesRegex(UserError, "draft invoice"):
            self._change(self.yearly, "next_period", "2026-07-30")

    def test_refused_while_an_upsell_is_not_invoiced(self):
        with freeze_time("2026-07-10"):
            upsell = self.order._create_upsell_renew_order("7_upsell")
            upsell.order_line = [
                Command.create({"product_id": self.fee.id, "product_uom_qty": 1})
            ]
            upsell.action_confirm()
        with self.assertRaisesRegex(UserError, "Some current charges"):
            self._change(self.yearly, "now")

    def test_same_plan_is_refused(self):
        with self.assertRaisesRegex(UserError, "already"):
            self._change(self.plan)

    def test_quotation_is_refused(self):
        self.order = self._create_quotation()
        with self.assertRaisesRegex(UserError, "not a running"):
            self._change(self.yearly)

    def test_wizard(self):
        action = self.order.action_open_change_plan_wizard()
        wizard = self.env[action["res_model"]].with_context(**action["context"])
        with freeze_time("2026-07-15"):
            wizard.create({"plan_id": self.yearly.id}).action_change_plan()
        self.assertEqual(self.order.plan_id, self.yearly)

    def test_locked_order_changes_too(self):
        self.order.action_lock()
        self._change(self.yearly, "now")
        self.assertEqual(self.order.order_line.mapped("price_unit"), [1000, -50 / 1])
