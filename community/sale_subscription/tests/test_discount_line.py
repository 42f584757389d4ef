from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .discount_common import DiscountCase


@tagged("post_install", "-at_install")
class TestDiscountLine(DiscountCase):
    """A global percentage and an amount are lines of their own, in every period.

    They were one-off lines: only the first invoice had them, and nobody was told.
    """

    def test_amount_off_for_two_periods(self):
        order = self._run(self._quote(discount=("amount", 15, "periods", 2)))
        self.assertEqual(self._invoice_months(order, 4), [85, 85, 100, 100])

    def test_percentage_for_three_periods(self):
        order = self._run(self._quote(discount=("so_discount", 20, "periods", 3)))
        self.assertEqual(self._invoice_months(order, 4), [80, 80, 80, 100])

    def test_always(self):
        order = self._run(self._quote(discount=("so_discount", 20, "always")))
        self.assertEqual(self._invoice_months(order, 3), [80] * 3)

    def test_once_is_what_it_always_was(self):
        for kind in ("so_discount", "amount"):
            with self.subTest(kind=kind):
                order = self._run(self._quote(discount=(kind, 20, "once")))
                self.assertEqual(self._invoice_months(order, 2), [80, 100])
                order.set_close()

    def test_percentage_of_what_is_invoiced_once(self):
        """Hosting 100.00 and setup 40.00, 20 % off: 112.00, then 80.00, then 100.00."""
        order = self._quote(
            self.hosting, self.setup_fee, discount=("so_discount", 20, "periods", 2)
        )
        self._run(order)
        self.assertEqual(self._invoice_months(order, 3), [112, 80, 100])

    def test_percentage_on_a_next_invoice_cut_short(self):
        """20 % of the 54.84 for 17 of 31 days, not of 100.00. An amount is whole."""
        self.plan.billing_first_day = True
        for kind, amount in (("so_discount", 43.87), ("amount", 34.84)):
            with self.subTest(kind=kind):
                order = self._quote(discount=(kind, 20, "once"))
                self._run(order, "2026-01-15")
                first = self._run_cron("2026-01-15")
                self.assertEqual(first.amount_untaxed, amount)
                self.assertEqual(self._invoice_months(order, 1, month=2), [100])
                order.set_close()

    def test_what_was_invoiced_once_is_not_discounted_later(self):
        """The setup of January has nothing to do with 20 % off from February on."""
        order = self._run(self._quote(self.hosting, self.setup_fee))
        self._invoice_months(order, 1)
        with freeze_time("2026-01-20"):
            self._discount(order, "so_discount", 20, "periods", 1)
        self.assertEqual(self._invoice_months(order, 2, month=2), [80, 100])

    def test_nothing_that_is_invoiced_in_advance(self):
        with self.assertRaises(ValidationError):
            self._quote(self.hours, discount=("amount", 15, "always"))

    def test_a_first_period_cut_short(self):
        """17 of 31 days: 54.84 less 8.23; then 100.00 less 15.00."""
        self.plan.billing_first_day = True
        order = self._quote(discount=("amount", 15, "periods", 2))
        self._run(order, "2026-01-15")
        first = self._run_cron("2026-01-15")
        self.assertEqual(
            sorted(first.invoice_line_ids.mapped("price_subtotal")), [-8.23, 54.84]
        )
        self.assertEqual(self._invoice_months(order, 2, month=2), [85, 100])

    def test_percentage_follows_the_quantity(self):
        """3 instead of 1 from February on: 20 % of 300.00, not of 100.00."""
        order = self._run(self._quote(discount=("so_discount", 20, "always")))
        amounts = self._invoice_months(order, 1)
        order.order_line[0].product_uom_qty = 3
        self.assertEqual(order.recurring_monthly, 240)
        self.assertEqual(amounts + self._invoice_months(order, 1, 2), [80, 240])
        self.assertLog(order, ("new", 80), ("expansion", 160))

    def test_percentage_follows_lines_that_come_and_go(self):
        order = self._quote(discount=("so_discount", 10, "always"))
        line = self._add_line(order, self.fee, 5)
        self.assertEqual(order.amount_untaxed, 135)  # 150 - 15
        line.unlink()
        self.assertEqual(order.amount_untaxed, 90)

    def test_an_amount_is_never_more_than_there_is(self):
        order = self._quote(self.fee, discount=("amount", 15, "always"))
        self.assertEqual(order.amount_untaxed, 0)
        order.order_line[0].product_uom_qty = 4
        self.assertEqual(order.amount_untaxed, 25)

    def test_two_of_them(self):
        """10 % of 100.00, then 20.00 off the 90.00."""
        order = self._quote(discount=("so_discount", 10, "always"))
        self._discount(order, "amount", 20, "periods", 1)
        self._run(order)
        self.assertEqual(self._invoice_months(order, 2), [70, 90])

    def test_on_lines_whose_own_discount_ends(self):
        """Half off for a month, and 10 % off for good: 45.00, then 90.00."""
        order = self._quote(discount=("sol_discount", 50, "once"))
        self._discount(order, "so_discount", 10, "always")
        self._run(order)
        self.assertEqual(self._invoice_months(order, 2), [45, 90])

    def test_split_by_taxes(self):
        """100.00 at 20 % and 50.00 at 10 %, 30.00 off of the 175.00 with taxes.

        As Odoo divides it: 30/175 of each. 100.00 - 17.14, 50.00 - 8.57: 124.29, and
        taxes of 16.57 + 4.14 = 20.71, in all 145.00. In February and March alike.
        """
        order = self._quote(self.hosting, self.fee)
        self.fee.list_price = 50
        order.order_line[0].tax_ids = self._create_tax(20)
        order.order_line[1].tax_ids = self._create_tax(10)
        order.order_line[1].price_unit = 50
        self._discount(order, "amount", 30, "periods", 2)
        self.assertEqual(len(order.order_line), 4)
        self._run(order)
        totals = []
        for month in (1, 2, 3):
            [invoice] = self._run_cron(f"2026-{month:02}-01")
            totals.append((invoice.amount_untaxed, invoice.amount_total))
        self.assertEqual(totals, [(124.29, 145.0), (124.29, 145.0), (150.0, 175.0)])

    def test_a_tax_is_on_nothing_any_more(self):
        """The line at 10 % goes: the discount is of the other one."""
        order = self._quote(self.hosting, self.fee)
        order.order_line[0].tax_ids = self._create_tax(20)
        order.order_line[1].tax_ids = self._create_tax(10)
        self._discount(order, "so_discount", 10, "always")
        self.assertEqual(order.amount_untaxed, 99)  # 110 - 10 - 1
        order.order_line[1].unlink()
        self.assertEqual(order.amount_untaxed, 90)
        self._add_line(order, self.fee, tax_ids=[Command.clear()])
        self.assertEqual(order.amount_untaxed, 99)

    def test_with_taxes_included_in_the_price(self):
        """121.00 with 21 % included, 10 % off: 108.90 with taxes, 90.00 without."""
        tax = self._create_tax(21, price_include_override="tax_included")
        self.hosting.write({"list_price": 121, "taxes_id": [Command.set(tax.ids)]})
        order = self._quote(discount=("so_discount", 10, "always"))
        self._run(order)
        for day in ("2026-01-01", "2026-02-01"):
            invoice = self._run_cron(day)
            self.assertEqual(invoice.amount_untaxed, 90)
            self.assertEqual(invoice.amount_total, 108.9)

    def test_counts_in_the_mrr(self):
        order = self._run(self._quote(discount=("amount", 15, "periods", 1)))
        self._discount(order, "amount", 10, "once")
        self.assertEqual(order.recurring_monthly, 85)
        self._invoice_months(order, 2)
        self.assertLog(order, ("new", 85), ("expansion", 15))

    def test_invoiced_anew_it_is_discounted_anew(self):
        order = self._run(self._quote(discount=("amount", 15, "periods", 1)))
        self.assertEqual(self._invoice_months(order, 2), [85, 100])
        for invoice in order.invoice_ids:
            invoice.button_draft()
            invoice.button_cancel()
        with freeze_time("2026-02-05"):
            order.next_invoice_date = "2026-01-01"
        again = self._run_cron("2026-02-05")
        self.assertEqual(sorted(again.mapped("amount_untaxed")), [85, 100])

    def test_days_are_charged_when_it_runs_again(self):
        """Runs again on 16 April (15 of 30 days): 50.00 less 7.50."""
        order = self._run(self._quote(discount=("amount", 15, "always")))
        self._invoice_months(order, 1)
        with freeze_time("2026-01-31"):
            order.pause_subscription()
        with freeze_time("2026-04-16"):
            order.resume_subscription()
        self.assertEqual(self._run_cron("2026-04-16").amount_untaxed, 42.5)
        self.assertEqual(self._invoice_months(order, 1, month=5), [85])

    def test_a_copy(self):
        """A copy has the discount of what it sells; none that has ended."""
        order = self._run(self._quote(discount=("so_discount", 20, "periods", 1)))
        self.assertEqual(order.copy().amount_untaxed, 80)
        self._invoice_months(order, 2)
        copy = order.copy()
        self.assertEqual(copy.amount_untaxed, 100)
        self.assertEqual(copy.order_line.product_id, self.hosting)

    def test_a_salesperson_may(self):
        """Who may write the order may give discounts on it."""
        seller = self.env["res.users"].create(
            {
                "name": "Sample Seller",
                "login": "discount_seller",
                "group_ids": [
                    Command.set(self.env.ref("sales_team.group_sale_salesman").ids)
                ],
            }
        )
        self._quote(discount=("amount", 1, "always"))  # makes the discount product
        order = self._quote(user_id=seller.id)
        self.env["sale.order.discount"].with_user(seller).create(
            {
                "sale_order_id": order.id,
                "discount_type": "amount",
                "discount_amount": 15,
                "recurrence": "periods",
                "period_count": 2,
            }
        ).action_apply_discount()
        order.order_line[0].with_user(seller).product_uom_qty = 2
        self.assertEqual(order.amount_untaxed, 185)
