from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .discount_common import DiscountCase


@tagged("post_install", "-at_install")
class TestDiscountFollowing(DiscountCase):
    """Which discounts renewals, upsells and plan changes take over."""

    def _start(self, *discount, months=1):
        order = self._run(self._quote(discount=discount))
        self._invoice_months(order, months)
        return order

    # === RENEWAL ===

    def _renew(self, order, day):
        with freeze_time(day):
            renewal = order._create_upsell_renew_order("2_renewal")
            renewal.action_confirm()
        return renewal

    def test_renewal_has_the_periods_that_are_left(self):
        """Three months, one was had: two are left. On lines, and as lines."""
        for kind in ("sol_discount", "so_discount", "amount"):
            with self.subTest(kind=kind):
                order = self._start(kind, 20, "periods", 3)
                renewal = self._renew(order, "2026-01-20")
                amounts = self._invoice_months(renewal, 3, month=2)
                self.assertEqual(amounts, [80, 80, 100])
                renewal.set_close()

    def test_renewal_after_the_last_period_of_it(self):
        """January was the only one. It holds until February is invoiced, here not."""
        for kind in ("sol_discount", "so_discount", "amount"):
            with self.subTest(kind=kind):
                order = self._start(kind, 20, "periods", 1)
                renewal = self._renew(order, "2026-01-20")
                self.assertEqual(renewal.order_line.product_id, self.hosting)
                self.assertEqual(self._invoice_months(renewal, 1, month=2), [100])
                renewal.set_close()

    def test_renewal_of_what_holds_for_good(self):
        order = self._start("so_discount", 20, "always")
        renewal = self._renew(order, "2026-01-20")
        renewal.order_line[0].product_uom_qty = 2
        self.assertEqual(self._invoice_months(renewal, 2, month=2), [160, 160])

    # === UPSELL ===

    def _upsell(self, order, day, quantity=1):
        with freeze_time(day):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line[0].product_uom_qty = quantity
            upsell.action_confirm()
        return upsell

    def test_upsell_of_a_discounted_line(self):
        """One more on 17 January, 15 of 31 days at 80.00: 38.71. Then 160, then 200."""
        order = self._start("sol_discount", 20, "periods", 2)
        upsell = self._upsell(order, "2026-01-17")
        self.assertEqual(upsell.amount_untaxed, 38.71)
        self.assertEqual(self._invoice_months(order, 2, month=2), [198.71, 200])

    def test_upsell_under_a_percentage(self):
        """The same as a line of its own: 48.39 - 9.68."""
        order = self._start("so_discount", 20, "periods", 2)
        upsell = self._upsell(order, "2026-01-17")
        self.assertEqual(upsell.order_line.mapped("price_subtotal"), [48.39, -9.68])
        self.assertEqual(len(order.order_line), 2)
        self.assertEqual(order.recurring_monthly, 160)
        self.assertEqual(self._run_cron("2026-01-18").amount_untaxed, 38.71)
        self.assertEqual(self._invoice_months(order, 2, month=2), [160, 200])

    def test_upsell_beside_an_amount(self):
        """15.00 off a month were given for January: what is added costs its price."""
        order = self._start("amount", 15, "always")
        upsell = self._upsell(order, "2026-01-17")
        self.assertEqual(upsell.order_line.mapped("price_subtotal"), [48.39])
        self._run_cron("2026-01-18")
        self.assertEqual(self._invoice_months(order, 1, month=2), [185])

    def test_cancelled_upsell_under_a_percentage(self):
        order = self._start("so_discount", 20, "always")
        upsell = self._upsell(order, "2026-01-17")
        upsell._action_cancel()
        self.assertEqual(order.recurring_monthly, 80)
        self.assertEqual(self._invoice_months(order, 1, month=2), [80])

    def test_percentage_on_the_upsell_alone(self):
        """Two more at 10 % off: the 10 % are not of what there was before.

        Each month after: 100.00 + 200.00 - 20.00.
        """
        order = self._start()
        with freeze_time("2026-01-17"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.product_uom_qty = 2
            self._discount(upsell, "so_discount", 10, "always")
            # 200 x 15/31 = 96.77, less 20 x 15/31 = 9.68
            self.assertEqual(upsell.amount_untaxed, 87.09)
            upsell.action_confirm()
        self._run_cron("2026-01-18")
        self.assertEqual(self._invoice_months(order, 2, month=2), [280, 280])

    def test_limited_discount_on_the_upsell_alone(self):
        """Half off for two periods, the one that runs included: 50.00 in February."""
        order = self._start()
        with freeze_time("2026-01-17"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line = [
                Command.create({"product_id": self.fee.id, "product_uom_qty": 10})
            ]
            self._discount(upsell, "sol_discount", 50, "periods", 2)
            self.assertEqual(upsell.amount_untaxed, 24.19)  # 50 x 15/31
            upsell.action_confirm()
        self._run_cron("2026-01-18")
        self.assertEqual(self._invoice_months(order, 2, month=2), [150, 200])

    def test_taxes_of_days_are_those_of_the_days(self):
        """20 % on 48.39 - 9.68; the line kept the tax of the whole discount."""
        tax = self._create_tax(20)
        self.hosting.taxes_id = tax
        order = self._start("so_discount", 20, "always")
        upsell = self._upsell(order, "2026-01-17")
        self.assertEqual(upsell.amount_untaxed, 38.71)
        self.assertEqual(upsell.amount_tax, 7.74)

    # === PLAN CHANGE ===

    def test_other_periods_end_what_was_counted_in_periods(self):
        """Three months are not three years."""
        yearly = self._create_plan(name="Test year", billing_period_unit="year")
        for kind in ("sol_discount", "so_discount", "amount"):
            with self.subTest(kind=kind):
                order = self._start(kind, 20, "periods", 3)
                with freeze_time("2026-01-20"):
                    order.change_plan(yearly)
                self.assertEqual(self._invoice_months(order, 1, month=2), [100])
                order.set_close()

    def test_the_same_periods_keep_it(self):
        other = self._create_plan(name="Another month")
        order = self._start("so_discount", 20, "periods", 2)
        with freeze_time("2026-01-20"):
            order.change_plan(other)
        self.assertEqual(self._invoice_months(order, 2, month=2), [80, 100])

    def test_what_was_charged_less_a_discount_is_given_back_less_it(self):
        """80.00 for January; from the 16th on 16 of 31 days: 51.61 - 10.32 = 41.29."""
        yearly = self._create_plan(name="Test year", billing_period_unit="year")
        order = self._start("so_discount", 20, "always")
        with freeze_time("2026-01-16"):
            order.change_plan(yearly, "now")
        invoice = self._run_cron("2026-01-16")
        # A year on the new plan: 100.00 - 20.00
        self.assertEqual(invoice.amount_untaxed, 38.71)
