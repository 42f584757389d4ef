from freezegun import freeze_time
from lxml import html

from odoo.fields import Command
from odoo.tests import tagged

from .discount_common import DiscountCase


@tagged("post_install", "-at_install")
class TestPaymentSchedule(DiscountCase):
    """A quotation says what is due now, once, and in every period, with taxes.

    Its total adds them: 140.00 for a setup of 40.00 and a month of 100.00.
    """

    def assertSchedule(self, order, *expected, day="2026-01-01"):
        """Check (kind, label, total) of each row, as of a day."""
        with freeze_time(day):
            rows = order._get_payment_schedule()
        self.assertEqual(
            [(row["kind"], row["label"], row["total"]) for row in rows], list(expected)
        )

    def test_once_and_every_month(self):
        order = self._quote(self.hosting, self.setup_fee)
        self.assertSchedule(
            order,
            ("due", "Due now", 140),
            ("once", "of which once", 40),
            ("days", "of which for 01/01/2026 to 01/31/2026", 100),
            ("period", "From 02/01/2026 on every month", 100),
        )

    def test_nothing_once(self):
        self.assertSchedule(
            self._quote(),
            ("due", "Due now", 100),
            ("period", "From 02/01/2026 on every month", 100),
        )

    def test_with_taxes(self):
        order = self._quote(self.hosting, self.setup_fee)
        order.order_line.tax_ids = self._create_tax(20)
        due, once, _days, period = order._get_payment_schedule()
        self.assertEqual((due["untaxed"], due["tax"], due["total"]), (140, 28, 168))
        self.assertEqual((once["untaxed"], once["tax"]), (40, 8))
        self.assertEqual((period["tax"], period["total"]), (20, 120))

    def test_first_period_cut_short(self):
        self.plan.billing_first_day = True
        order = self._quote(self.hosting, self.setup_fee)
        self.assertSchedule(
            order,
            ("due", "Due now", 94.84),
            ("once", "of which once", 40),
            ("days", "of which for 01/15/2026 to 01/31/2026 (17 of 31 days)", 54.84),
            ("period", "From 02/01/2026 on every month", 100),
            day="2026-01-15",
        )

    def test_first_invoice_later(self):
        order = self._quote(start_date="2026-01-10", next_invoice_date="2026-01-31")
        self.assertSchedule(
            order,
            ("due", "First invoice, 01/31/2026", 100),
            ("period", "From 02/28/2026 on every month", 100),
        )

    def test_a_discount_that_ends(self):
        order = self._quote(discount=("sol_discount", 20, "periods", 3))
        self.assertSchedule(
            order,
            ("due", "Due now", 80),
            ("period", "From 02/01/2026 on every month, 2 times", 80),
            ("period", "After that every month", 100),
        )

    def test_a_discount_on_the_first_invoice(self):
        order = self._quote(discount=("sol_discount", 20, "once"))
        self.assertSchedule(
            order,
            ("due", "Due now", 80),
            ("period", "From 02/01/2026 on every month", 100),
        )

    def test_discounts_that_end_at_different_times(self):
        """Half off for two periods, then 10 % of the whole until the fourth."""
        order = self._quote(discount=("sol_discount", 50, "periods", 2))
        self._discount(order, "so_discount", 10, "periods", 4)
        self.assertSchedule(
            order,
            ("due", "Due now", 45),
            ("period", "On 02/01/2026", 45),
            ("period", "Then every month, 2 times", 90),
            ("period", "After that every month", 100),
        )

    def test_sections_and_what_is_optional(self):
        order = self._quote()
        order.order_line = [
            Command.create({"display_type": "line_section", "name": "Options"}),
            Command.create({"product_id": self.fee.id, "product_uom_qty": 0}),
            Command.create({"display_type": "line_note", "name": "Sample note"}),
        ]
        self.assertSchedule(
            order,
            ("due", "Due now", 100),
            ("period", "From 02/01/2026 on every month", 100),
        )
        order.order_line.filtered(
            lambda x: x.product_id == self.fee
        ).product_uom_qty = 1
        self.assertEqual(order._get_payment_schedule()[0]["total"], 110)

    def test_what_is_delivered_is_named(self):
        """Hours, of which nobody knows how many there will be."""
        order = self._quote(self.hosting, self.hours)
        self.assertSchedule(
            order,
            ("due", "Due now", 100),
            ("period", "From 02/01/2026 on every month", 100),
        )
        self.assertEqual(order._get_measured_names(), "Hours")

    def test_nothing_but_what_is_delivered(self):
        order = self._quote(self.hours)
        self.assertSchedule(order, ("due", "Due now", 0))
        self.assertEqual(order._get_measured_names(), "Hours")

    def test_one_period_only(self):
        """It ends with its first period: nothing comes after."""
        self.plan.write({"contract_length": 1, "contract_unit": "month"})
        self.assertSchedule(self._quote(), ("due", "Due now", 100))

    def test_running(self):
        order = self._run(self._quote(self.hosting, self.setup_fee))
        self._invoice_months(order, 1)
        self.assertSchedule(
            order,
            ("due", "Next invoice, 02/01/2026", 100),
            ("period", "From 03/01/2026 on every month", 100),
            day="2026-01-20",
        )

    def test_running_in_the_last_period_of_a_discount(self):
        """January had it alone: what comes next is the whole price."""
        order = self._run(self._quote(discount=("sol_discount", 20, "once")))
        self._invoice_months(order, 1)
        self.assertSchedule(
            order,
            ("due", "Next invoice, 02/01/2026", 100),
            ("period", "From 03/01/2026 on every month", 100),
            day="2026-01-20",
        )

    def test_upsell(self):
        """15 of 31 days of two at 100.00, and a setup; 200.00 a month more after."""
        order = self._run(self._quote(discount=("so_discount", 20, "periods", 2)))
        self._invoice_months(order, 1)
        with freeze_time("2026-01-17"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line[0].product_uom_qty = 2
            self._add_line(upsell, self.setup_fee)
        self.assertSchedule(
            upsell,
            ("due", "Due now", 117.42),  # 40.00 + 96.77 - 19.35
            ("once", "of which once", 40),
            ("days", "of which for 01/17/2026 to 01/31/2026 (15 of 31 days)", 77.42),
            ("period", "On 02/01/2026", 160),
            ("period", "After that every month", 200),
            day="2026-01-17",
        )
        self.assertEqual(upsell.amount_total, 117.42)

    def test_after_a_plan_change(self):
        yearly = self._create_plan(name="Test year", billing_period_unit="year")
        order = self._run(self._quote())
        self._invoice_months(order, 1)
        with freeze_time("2026-01-20"):
            order.change_plan(yearly)
        self.assertSchedule(
            order,
            ("due", "Next invoice, 02/01/2026", 100),
            ("period", "From 02/01/2027 on every year", 100),
            day="2026-01-20",
        )

    def test_plan_change_today(self):
        """What is given back is due with the new plan: 100.00 - 51.61."""
        yearly = self._create_plan(name="Test year", billing_period_unit="year")
        order = self._run(self._quote())
        self._invoice_months(order, 1)
        with freeze_time("2026-01-16"):
            order.change_plan(yearly, "now")
            rows = order._get_payment_schedule()
        self.assertEqual(rows[0]["total"], 48.39)
        self.assertEqual(self._run_cron("2026-01-16").amount_total, 48.39)

    def test_it_is_what_is_invoiced(self):
        """Whatever is on the order: the first invoice and the second are as said."""
        self.plan.billing_first_day = True
        tax = self._create_tax(21, price_include_override="tax_included")
        for discount in (
            (),
            ("sol_discount", 33, "periods", 1),
            ("so_discount", 7.5, "periods", 2),
            ("amount", 13.37, "once"),
            ("amount", 13.37, "always"),
        ):
            with self.subTest(discount=discount):
                order = self._quote(self.hosting, self.setup_fee, self.fee)
                order.order_line[0].write({"product_uom_qty": 3, "price_unit": 33.33})
                order.order_line[2].tax_ids = tax
                if discount:
                    self._discount(order, *discount)
                with freeze_time("2026-01-12"):
                    rows = order._get_payment_schedule()
                self._run(order, "2026-01-12")
                said = [rows[0]["total"], rows[3]["total"]]
                invoiced = [
                    self._run_cron(day).amount_total
                    for day in ("2026-01-12", "2026-02-01")
                ]
                self.assertEqual(said, invoiced)
                order.set_close()

    def test_other_currency(self):
        """In the currency of the order, whatever that of the company is."""
        currency = self.env["res.currency"].create(
            {"name": "QTS", "symbol": "Q", "rounding": 1.0, "decimal_places": 0}
        )
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "rate": 3, "name": "2000-01-01"}
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "In Q", "currency_id": currency.id}
        )
        self.plan.billing_first_day = True
        order = self._quote(pricelist_id=pricelist.id)
        self.assertSchedule(
            order,
            ("due", "Due now", 165),  # 300 x 17/31 = 164.5
            ("days", "of which for 01/15/2026 to 01/31/2026 (17 of 31 days)", 165),
            ("period", "From 02/01/2026 on every month", 300),
            day="2026-01-15",
        )

    # === WHERE IT IS SHOWN ===

    def test_on_the_form_before_it_is_saved(self):
        order = self.env["sale.order"].new(
            {
                "partner_id": self.partner.id,
                "plan_id": self.plan.id,
                "order_line": [
                    Command.create(
                        {"product_id": self.hosting.id, "product_uom_qty": 2}
                    )
                ],
            }
        )
        self.assertIn("200.00", order.payment_schedule)
        self.assertFalse(self._create_quotation(plan_id=False).payment_schedule)

    def test_on_the_pdf(self):
        """In place of the total, with the plan's terms and how often each line is."""
        self.plan.write(
            {"contract_length": 12, "user_closable": True, "auto_close_limit": 15}
        )
        order = self._quote(
            self.hosting, self.setup_fee, discount=("amount", 15, "periods", 2)
        )
        content, _type = self.env["ir.actions.report"]._render_qweb_html(
            "sale.action_report_saleorder", order.ids
        )
        page = html.fromstring(content)
        self.assertFalse(page.xpath("//div[@id='total']"))
        text = " ".join(page.text_content().split())
        for expected in (
            "Due now",
            "every month, 2 times",
            "once",
            "After that every month",
            "Invoiced every month, in advance",
            "Duration 12 Months",
            "You can close it online at any time; closed when an invoice is unpaid 15"
            " days after its due date",
            "Payment By invoice",
        ):
            self.assertIn(expected, text)

    def test_an_ordinary_order_is_as_it_was(self):
        order = self._create_quotation(self.setup_fee, plan_id=False)
        content, _type = self.env["ir.actions.report"]._render_qweb_html(
            "sale.action_report_saleorder", order.ids
        )
        page = html.fromstring(content)
        self.assertTrue(page.xpath("//div[@id='total']"))
        self.assertFalse(page.xpath("//*[@name='payment_schedule']"))

    # === WHAT IS PAID ===

    def test_to_confirm_it_what_is_due_now_is_paid(self):
        """94.84, not the 140.00 of a whole period."""
        self.plan.billing_first_day = True
        order = self._quote(
            self.hosting, self.setup_fee, require_payment=True, prepayment_percent=1
        )
        with freeze_time("2026-01-15"):
            self.assertEqual(order._get_prepayment_required_amount(), 94.84)
            order.prepayment_percent = 0.5
            self.assertEqual(order._get_prepayment_required_amount(), 47.42)
