from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common import SubscriptionCase

# unit, value, day, first aligned day from it on; read off a calendar.
# 15 January 2026 is a Thursday.
ALIGNED = [
    ("week", 1, "2026-01-15", "2026-01-19"),
    ("week", 1, "2026-01-19", "2026-01-19"),
    ("week", 1, "2026-12-31", "2027-01-04"),
    ("week", 2, "2026-01-15", "2026-01-19"),
    ("month", 1, "2026-01-15", "2026-02-01"),
    ("month", 1, "2026-02-01", "2026-02-01"),
    ("month", 1, "2026-12-31", "2027-01-01"),
    ("month", 2, "2026-02-15", "2026-03-01"),
    ("month", 3, "2026-02-15", "2026-04-01"),
    ("month", 3, "2026-10-02", "2027-01-01"),
    ("month", 6, "2026-06-30", "2026-07-01"),
    ("month", 5, "2026-01-15", "2026-02-01"),
    ("year", 1, "2026-01-02", "2027-01-01"),
    ("year", 1, "2026-01-01", "2026-01-01"),
    ("year", 2, "2026-12-01", "2027-01-01"),
]

# unit, value, start, end of the first period, days charged, days of a whole one,
# amount of a fee of 10 per period
FIRST_PERIODS = [
    ("week", 1, "2026-01-15", "2026-01-19", 4, 7, 5.71),
    ("week", 2, "2026-01-15", "2026-01-19", 4, 14, 2.86),
    ("month", 1, "2026-01-15", "2026-02-01", 17, 31, 5.48),
    ("month", 1, "2028-02-29", "2028-03-01", 1, 29, 0.34),
    ("month", 3, "2026-02-15", "2026-04-01", 45, 90, 5.00),
    ("month", 5, "2026-01-15", "2026-02-01", 17, 153, 1.11),
    ("year", 1, "2026-12-01", "2027-01-01", 31, 365, 0.85),
    ("year", 1, "2028-07-01", "2029-01-01", 184, 366, 5.03),
]


@tagged("post_install", "-at_install")
class TestAlignment(SubscriptionCase):
    def _create_aligned(self, unit="month", value=1):
        return self._create_plan(
            billing_first_day=True,
            billing_period_unit=unit,
            billing_period_value=value,
        )

    def test_first_aligned_day(self):
        for unit, value, day, expected in ALIGNED:
            with self.subTest(unit=unit, value=value, day=day):
                found = self._create_aligned(unit, value)._get_aligned_from(
                    date.fromisoformat(day)
                )
                self.assertEqual(str(found), expected)

    def test_first_invoice_is_prorated_by_days(self):
        for unit, value, start, end, days, whole, amount in FIRST_PERIODS:
            plan = self._create_aligned(unit, value)
            order = self._create_subscription(start=start, plan_id=plan.id)
            with self.subTest(unit=unit, value=value, start=start):
                with freeze_time(start):
                    invoice = order._create_recurring_invoice()
                self.assertEqual(invoice.amount_total, amount)
                self.assertIn(
                    f"({days} of {whole} days)", invoice.invoice_line_ids.name
                )
                self.assertDates(order, start, end)

    def test_later_invoices_are_whole(self):
        order = self._create_subscription(
            start="2026-01-15", plan_id=self._create_aligned().id
        )
        invoices = self._run_cron("2026-03-01")
        self.assertEqual(invoices.mapped("amount_total"), [5.48, 10, 10])
        self.assertEqual(
            [line.name.splitlines()[-1] for line in invoices.invoice_line_ids],
            [
                "1 Month 01/15/2026 to 01/31/2026 (17 of 31 days)",
                "1 Month 02/01/2026 to 02/28/2026",
                "1 Month 03/01/2026 to 03/31/2026",
            ],
        )
        self.assertDates(order, "2026-03-01", "2026-04-01")

    def test_begun_on_the_first_day_is_whole(self):
        order = self._create_subscription(plan_id=self._create_aligned().id)
        self.assertEqual(self._run_cron("2026-01-01").amount_total, 10)
        self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_month_end_does_not_stick(self):
        """Begun on 31 January: one day, then the first of every month."""
        order = self._create_subscription(
            start="2026-01-31", plan_id=self._create_aligned().id
        )
        self.assertEqual(self._run_cron("2026-01-31").amount_total, 0.32)
        self._run_cron("2026-02-01")
        self.assertDates(order, "2026-02-01", "2026-03-01")

    def test_only_what_is_invoiced_in_advance_is_prorated(self):
        """Hours delivered and the setup fee cost what they cost."""
        order = self._create_subscription(
            self.fee,
            self.setup_fee,
            self.hours,
            start="2026-01-15",
            plan_id=self._create_aligned().id,
        )
        order.order_line[2].qty_delivered = 4
        invoice = self._run_cron("2026-01-15")
        amounts = invoice.invoice_line_ids.mapped("price_subtotal")
        self.assertEqual(amounts, [5.48, 40, 12])

    def test_quantity_and_discount_are_rounded_once(self):
        """3 x 10 less 10 % = 27, of which 17/31 = 14.806...; not 3 x 4.94."""
        order = self._create_subscription(
            start="2026-01-15", plan_id=self._create_aligned().id
        )
        order.order_line.write({"product_uom_qty": 3, "discount": 10})
        self.assertEqual(self._run_cron("2026-01-15").amount_total, 14.81)

    def test_mrr_is_that_of_whole_periods(self):
        order = self._create_subscription(
            start="2026-01-15", plan_id=self._create_aligned().id
        )
        self._run_cron("2026-01-15")
        self.assertEqual(order.recurring_monthly, 10)

    def test_next_date_moved_by_hand_leads_to_the_calendar(self):
        """Moved to 10 February: 19 of 28 days, then March."""
        order = self._create_subscription(plan_id=self._create_aligned().id)
        self._run_cron("2026-01-01")
        order.next_invoice_date = "2026-02-10"
        self.assertEqual(self._run_cron("2026-02-10").amount_total, 6.79)
        self.assertDates(order, "2026-02-10", "2026-03-01")

    # === THE OTHER END ===

    def test_last_period_is_prorated_up_to_the_end_date(self):
        """February until the 15th: 14 of 28 days."""
        order = self._create_subscription(end_date="2026-02-15")
        self._run_cron("2026-01-01")
        invoice = self._run_cron("2026-02-01")
        self.assertEqual(invoice.amount_total, 5)
        self.assertEqual(
            invoice.invoice_line_ids.name.splitlines()[-1],
            "1 Month 02/01/2026 to 02/14/2026 (14 of 28 days)",
        )
        last = order.subscription_period_ids.sorted("period_start")[-1]
        self.assertEqual(str(last.period_end), "2026-02-15")

    def test_first_period_can_be_the_last(self):
        """From the 15th until the 25th: 10 of 31 days."""
        self._create_subscription(
            start="2026-01-15",
            end_date="2026-01-25",
            plan_id=self._create_aligned().id,
        )
        self.assertEqual(self._run_cron("2026-01-15").amount_total, 3.23)

    def test_duration_of_the_plan_sets_the_end(self):
        for start, value, unit, expected in (
            ("2026-01-31", 1, "month", "2026-02-28"),
            ("2026-01-31", 12, "month", "2027-01-31"),
            ("2024-02-29", 1, "year", "2025-02-28"),
            ("2026-12-28", 2, "week", "2027-01-11"),
        ):
            plan = self._create_plan(contract_length=value, contract_unit=unit)
            order = self._create_subscription(start=start, plan_id=plan.id)
            with self.subTest(start=start, value=value, unit=unit):
                self.assertEqual(str(order.end_date), expected)

    def test_end_date_entered_by_hand_wins_over_the_duration(self):
        plan = self._create_plan(contract_length=1, contract_unit="year")
        order = self._create_subscription(plan_id=plan.id, end_date="2026-03-01")
        self.assertEqual(str(order.end_date), "2026-03-01")

    def test_contract_of_three_months_has_three_invoices(self):
        """From 31 January to 30 April, then it closes by itself."""
        plan = self._create_plan(contract_length=3)
        order = self._create_subscription(start="2026-01-31", plan_id=plan.id)
        invoices = self._run_cron("2026-06-01")
        self.assertEqual(invoices.mapped("amount_total"), [10, 10, 10])
        with freeze_time("2026-06-01"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "6_churn")
        self.assertEqual(str(order.end_date), "2026-04-30")

    def test_template_brings_plan_and_duration(self):
        template = self.env["sale.order.template"].create(
            {
                "name": "Half a year",
                "plan_id": self._create_plan(contract_length=1).id,
                "is_unlimited": False,
                "duration_value": 6,
            }
        )
        order = self._create_quotation(plan_id=False)
        order.sale_order_template_id = template
        order._onchange_sale_order_template_id()
        self.assertEqual(order.plan_id, template.plan_id)
        with freeze_time("2026-01-31"):
            order.action_confirm()
        self.assertEqual(str(order.end_date), "2026-07-31")
