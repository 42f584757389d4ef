from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestRecurringInvoice(SubscriptionCase):
    def test_first_period_is_invoiced_in_advance(self):
        order = self._create_subscription(start="2026-01-31")
        invoice = self._run_cron("2026-01-31")
        self.assertEqual(invoice.state, "posted")
        self.assertEqual(invoice.amount_total, 10)
        self.assertEqual(invoice.line_ids.subscription_id, order)
        self.assertDates(order, "2026-01-31", "2026-02-28")

    def test_each_invoice_says_once_where_it_is_from(self):
        """Also where many are made together."""
        orders = [self._create_subscription() for _number in range(3)]
        self.assertEqual(len(self._run_cron("2026-01-01")), 3)
        for order in orders:
            bodies = order.invoice_ids.message_ids.mapped("body")
            told = [body for body in bodies if 'data-oe-model="sale.order"' in body]
            self.assertEqual(len(told), 1)
            self.assertIn(order.name, told[0])

    def test_not_before_its_day(self):
        order = self._create_subscription(start="2026-01-31")
        self.assertFalse(self._run_cron("2026-01-30"))
        self.assertDates(order, None, "2026-01-31")

    def test_dates_come_from_the_anchor(self):
        """The day after a February is the 31st again, not the 28th for good."""
        order = self._create_subscription(start="2026-01-31")
        for day, following in (
            ("2026-01-31", "2026-02-28"),
            ("2026-02-28", "2026-03-31"),
            ("2026-03-31", "2026-04-30"),
            ("2026-04-30", "2026-05-31"),
        ):
            self._run_cron(day)
            self.assertDates(order, day, following)

    def test_second_run_on_a_day_does_nothing(self):
        order = self._create_subscription()
        self.assertEqual(len(self._run_cron("2026-01-01")), 1)
        self.assertFalse(self._run_cron("2026-01-01"))
        self.assertFalse(self._run_cron("2026-01-31"))
        self.assertEqual(len(order.invoice_ids), 1)

    def test_missed_periods_are_caught_up_in_order(self):
        order = self._create_subscription(start="2026-01-31")
        invoices = self._run_cron("2026-04-15")
        self.assertEqual(len(invoices), 3)
        texts = invoices.invoice_line_ids.sorted("id").mapped("name")
        self.assertEqual(
            [text.splitlines()[-1] for text in texts],
            [
                "1 Month 01/31/2026 to 02/27/2026",
                "1 Month 02/28/2026 to 03/30/2026",
                "1 Month 03/31/2026 to 04/29/2026",
            ],
        )
        self.assertDates(order, "2026-03-31", "2026-04-30")

    def test_catching_up_is_bounded_and_goes_on_the_next_time(self):
        order = self._create_subscription(start="2026-01-01")
        module = "odoo.addons.sale_subscription.models.invoicing.order_invoicing"
        with patch(f"{module}.MAX_PERIODS_PER_RUN", 2):
            self.assertEqual(len(self._run_cron("2026-05-15")), 2)
            self.assertDates(order, "2026-02-01", "2026-03-01")
            self.assertEqual(len(self._run_cron("2026-05-15")), 2)
        self.assertDates(order, "2026-04-01", "2026-05-01")

    def test_one_off_line_is_invoiced_once(self):
        order = self._create_subscription(self.fee, self.setup_fee)
        invoices = self._run_cron("2026-03-01")
        self.assertEqual(invoices.mapped("amount_total"), [50, 10, 10])
        setup = order.order_line.filtered(lambda line: not line.recurring_invoice)
        self.assertEqual(setup.qty_invoiced, 1)

    def test_recurring_product_on_an_ordinary_order_is_invoiced_once(self):
        self.fee.allow_one_time_sale = True
        order = self._create_quotation(plan_id=False)
        order.action_confirm()
        self.assertEqual(order._create_invoices().amount_total, 10)
        with self.assertRaises(UserError):
            order._create_invoices()

    def test_delivered_quantity_is_invoiced_afterwards(self):
        """Delivered 5 in January and 2 more in February, at 3 each."""
        order = self._create_subscription(self.hours)
        self._run_cron("2026-01-01")
        order.order_line.qty_delivered = 5
        january = self._run_cron("2026-02-01")
        self.assertEqual(january.amount_total, 15)
        self.assertEqual(
            january.invoice_line_ids.name.splitlines()[-1],
            "1 Month 01/01/2026 to 01/31/2026",
        )
        order.order_line.qty_delivered = 7
        february = self._run_cron("2026-03-01")
        self.assertEqual(february.amount_total, 6)
        self.assertEqual(
            february.invoice_line_ids.name.splitlines()[-1],
            "1 Month 02/01/2026 to 02/28/2026",
        )

    def test_free_period_advances_with_a_note(self):
        order = self._create_subscription(self.hours)
        self.assertFalse(self._run_cron("2026-01-01"))
        self.assertDates(order, "2026-01-01", "2026-02-01")
        period = order.subscription_period_ids
        self.assertFalse(period.move_id)
        self.assertIn("the period is free", order.message_ids[0].body)

    def test_preset_first_invoice_becomes_the_anchor(self):
        """Started on the 10th, invoiced on the 31st of every month."""
        order = self._create_subscription(
            start="2026-01-10", next_invoice_date="2026-01-31"
        )
        self.assertFalse(self._run_cron("2026-01-30"))
        self._run_cron("2026-01-31")
        self.assertDates(order, "2026-01-31", "2026-02-28")
        self._run_cron("2026-02-28")
        self.assertDates(order, "2026-02-28", "2026-03-31")

    def test_preset_first_invoice_on_a_boundary_keeps_the_start_as_anchor(self):
        """A contract of 31 January that moves here in February."""
        order = self._create_subscription(
            start="2026-02-10", start_date="2026-01-31", next_invoice_date="2026-02-28"
        )
        self._run_cron("2026-02-28")
        self.assertDates(order, "2026-02-28", "2026-03-31")

    def test_next_date_moved_by_hand_is_the_new_anchor(self):
        order = self._create_subscription(start="2026-01-31")
        self._run_cron("2026-01-31")
        order.next_invoice_date = "2026-03-15"
        self._run_cron("2026-03-15")
        self.assertDates(order, "2026-03-15", "2026-04-15")

    def test_weekly(self):
        plan = self._create_plan(billing_period_unit="week", billing_period_value=2)
        order = self._create_subscription(start="2026-12-21", plan_id=plan.id)
        self._run_cron("2027-01-04")
        self.assertDates(order, "2027-01-04", "2027-01-18")
        self.assertEqual(len(order.invoice_ids), 2)

    def test_leap_day_yearly(self):
        plan = self._create_plan(billing_period_unit="year")
        order = self._create_subscription(start="2024-02-29", plan_id=plan.id)
        self._run_cron("2028-02-29")
        self.assertDates(order, "2028-02-29", "2029-02-28")
        self.assertEqual(len(order.invoice_ids), 5)

    def test_nothing_from_the_end_date_on(self):
        order = self._create_subscription(end_date="2026-03-01")
        self.assertEqual(len(self._run_cron("2026-06-01")), 2)
        self.assertDates(order, "2026-02-01", "2026-03-01")

    def test_period_text_is_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.partner.lang = "fr_FR"
        self._create_subscription()
        text = self._run_cron("2026-01-01").invoice_line_ids.name
        self.assertIn("01/01/2026", text)
        self.assertIn("31/01/2026", text)

    def test_period_text_can_be_left_off_by_a_module(self):
        order = self._create_subscription()
        line_class = self.env.registry["sale.order.line"]
        with patch.object(
            line_class, "_get_recurring_invoice_description", lambda self: False
        ):
            invoice = self._run_cron("2026-01-01")
        self.assertEqual(invoice.invoice_line_ids.name, order.order_line.name)

    def test_line_left_off_by_a_module_is_left_off(self):
        """As the billing addon does it with usage lines of amount 0."""
        order = self._create_subscription(self.fee, self.hours)
        order.order_line.qty_delivered = 1
        order_class = self.env.registry["sale.order"]
        original = order_class._get_invoiceable_lines

        def only_fee(order, final=False):
            lines = original(order, final)
            return lines.filtered(lambda line: line.product_id == self.fee)

        with patch.object(order_class, "_get_invoiceable_lines", only_fee):
            invoice = self._run_cron("2026-01-01")
        self.assertEqual(invoice.amount_total, 10)

    def test_line_added_to_a_running_subscription_at_a_price_of_its_own(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        usage = self._create_product(name="Usage")
        order.order_line = [
            Command.create(
                {"product_id": usage.id, "product_uom_qty": 1, "price_unit": 7.5}
            )
        ]
        self.assertEqual(self._run_cron("2026-02-01").amount_total, 17.5)
        order.order_line.filtered(lambda line: line.product_id == usage).price_unit = 2
        self.assertEqual(self._run_cron("2026-03-01").amount_total, 12)

    # === THE BUTTON ===

    @freeze_time("2026-01-01")
    def test_community_button_invoices_a_due_period_once(self):
        order = self._create_subscription()
        self.assertEqual(order.invoice_status, "to invoice")
        invoice = order._create_invoices()
        self.assertEqual(invoice.state, "draft")
        self.assertEqual(order.order_line.qty_to_invoice, 0)
        with self.assertRaises(UserError):
            order._create_invoices()
        invoice.action_post()
        self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_community_button_before_the_day_bills_nothing_recurring(self):
        order = self._create_subscription(self.fee)
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-20"), self.assertRaises(UserError):
            order._create_invoices()

    def test_amount_to_invoice_is_that_of_the_due_period(self):
        """Community's would say -10 after two periods, and raise the credit limit."""
        order = self._create_subscription()
        with freeze_time("2026-01-01"):
            self.assertEqual(order.amount_to_invoice, 10)
        self._run_cron("2026-02-01")
        self.assertEqual(order.amount_to_invoice, 0)
        self.assertEqual(order.order_line.untaxed_amount_to_invoice, 0)

    def test_one_off_line_added_later_can_be_invoiced_between(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        order.order_line = [Command.create({"product_id": self.setup_fee.id})]
        with freeze_time("2026-01-20"):
            invoice = order._create_invoices()
            invoice.action_post()
        self.assertEqual(invoice.amount_total, 40)
        self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_community_button_after_the_day_although_nothing_was_computed_since(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        self.assertEqual(order.order_line.qty_to_invoice, 0)
        with freeze_time("2026-02-03"):
            self.assertEqual(order._create_invoices().amount_total, 10)

    def test_one_invoice_for_two_subscriptions_advances_both(self):
        orders = self._create_subscription() + self._create_subscription()
        with freeze_time("2026-01-01"):
            invoice = orders._create_invoices()
            self.assertEqual(len(invoice), 1)
            invoice.action_post()
        for order in orders:
            self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_own_button(self):
        order = self._create_subscription()
        with freeze_time("2026-01-01"):
            action = order.action_create_recurring_invoice()
            self.assertEqual(action["res_id"], order.invoice_ids.id)
            with self.assertRaisesRegex(UserError, "No period"):
                order.action_create_recurring_invoice()
