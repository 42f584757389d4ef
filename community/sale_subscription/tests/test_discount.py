from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .discount_common import DiscountCase


@tagged("post_install", "-at_install")
class TestDiscountPeriods(DiscountCase):
    """A percentage on the lines holds for as many periods as was agreed."""

    def test_a_fifth_off_for_three_months(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "periods", 3)))
        self.assertEqual(self._invoice_months(order, 5), [80, 80, 80, 100, 100])

    def test_next_invoice_only(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "once")))
        self.assertEqual(self._invoice_months(order, 3), [80, 100, 100])

    def test_until_it_is_changed(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "always")))
        self.assertEqual(self._invoice_months(order, 4), [80] * 4)

    def test_nobody_says_for_how_long(self):
        """Code that is not about subscriptions: as on any order, it stays."""
        order = self._run(self._quote(discount=("sol_discount", 20)))
        self.assertEqual(self._invoice_months(order, 3), [80] * 3)

    def test_at_least_one_period(self):
        with self.assertRaises(ValidationError):
            self._quote(discount=("sol_discount", 20, "periods", 0))

    def test_gives_way_to_the_discount_before_it(self):
        """10 % as agreed with this customer, 30 % for the first two months."""
        order = self._quote()
        order.order_line.discount = 10
        self._discount(order, "sol_discount", 30, "periods", 2)
        self._run(order)
        self.assertEqual(self._invoice_months(order, 4), [70, 70, 90, 90])

    def test_two_in_a_row_lead_back_to_the_first(self):
        """A second limited discount replaces the first: neither stays for good."""
        order = self._quote(discount=("sol_discount", 20, "periods", 3))
        self._discount(order, "sol_discount", 50, "periods", 1)
        self._run(order)
        self.assertEqual(self._invoice_months(order, 3), [50, 100, 100])

    def test_agreed_while_it_runs(self):
        """In January, for two periods: February and March."""
        order = self._run(self._quote())
        amounts = self._invoice_months(order, 1)
        with freeze_time("2026-01-20"):
            self._discount(order, "sol_discount", 20, "periods", 2)
        amounts += self._invoice_months(order, 3, month=2)
        self.assertEqual(amounts, [100, 80, 80, 100])

    def test_another_after_the_first_has_ended(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "once")))
        self._invoice_months(order, 2)
        with freeze_time("2026-02-20"):
            self._discount(order, "sol_discount", 50, "periods", 2)
        self.assertEqual(self._invoice_months(order, 3, month=3), [50, 50, 100])

    def test_said_in_the_list_of_lines(self):
        """Without the button: the columns of the order line."""
        order = self._quote()
        order.order_line.write(
            {"discount": 20, "discount_recurrence": "periods", "discount_periods": 2}
        )
        self._run(order)
        self.assertEqual(self._invoice_months(order, 3), [80, 80, 100])

    def test_a_first_period_cut_short_counts(self):
        """From 15 January: 17 of 31 days of 80.00 are 43.87; then 80, and 100."""
        self.plan.billing_first_day = True
        order = self._quote(discount=("sol_discount", 20, "periods", 2))
        self._run(order, "2026-01-15")
        first = self._run_cron("2026-01-15")
        self.assertEqual(first.amount_untaxed, 43.87)
        self.assertEqual(self._invoice_months(order, 2, month=2), [80, 100])

    def test_what_is_invoiced_once_is_discounted_once(self):
        order = self._quote(
            self.hosting,
            self.setup_fee,
            discount=("sol_discount", 20, "periods", 2),
        )
        self._run(order)
        self.assertEqual(self._invoice_months(order, 3), [112, 80, 100])

    def test_hours_of_the_periods_that_have_it(self):
        """10 hours a month at 3.00, half off for two months: January's and February's.

        They are invoiced a month later than the fee of the same period.
        """
        order = self._quote(
            self.hosting, self.hours, discount=("sol_discount", 50, "periods", 2)
        )
        self._run(order)
        hours = order.order_line.filtered(lambda x: x.product_id == self.hours)
        amounts = []
        for month in range(1, 6):
            hours.qty_delivered = (month - 1) * 10
            amounts += self._invoice_months(order, 1, month)
        self.assertEqual(amounts, [50, 50 + 15, 100 + 15, 100 + 30, 100 + 30])

    def test_a_pause_uses_up_nothing(self):
        """Two months were agreed on, and are given: January and April."""
        order = self._run(self._quote(discount=("sol_discount", 20, "periods", 2)))
        self._invoice_months(order, 1)
        with freeze_time("2026-01-31"):
            order.pause_subscription()
        with freeze_time("2026-04-01"):
            order.resume_subscription()
        self.assertEqual(self._invoice_months(order, 2, month=4), [80, 100])

    def test_runs_again_after_it_has_ended(self):
        """The days from 16 March on: 16 of 31 days of 100.00, not of 80.00."""
        order = self._run(self._quote(discount=("sol_discount", 20, "periods", 1)))
        self._invoice_months(order, 1)
        with freeze_time("2026-01-31"):
            order.pause_subscription()
        with freeze_time("2026-03-16"):
            order.resume_subscription()
        invoice = self._run_cron("2026-03-16")
        self.assertEqual(invoice.amount_untaxed, 51.61)

    def test_invoiced_anew_it_is_discounted_anew(self):
        """The second period is due again after the discount has ended: 80.00 again."""
        order = self._run(self._quote(discount=("sol_discount", 20, "periods", 2)))
        self.assertEqual(self._invoice_months(order, 3), [80, 80, 100])
        invoices = order.invoice_ids.sorted("id")[1:]
        invoices.button_draft()
        invoices.button_cancel()
        with freeze_time("2026-03-05"):
            order.next_invoice_date = "2026-02-01"
        again = self._run_cron("2026-03-05")
        self.assertEqual(sorted(again.mapped("amount_untaxed")), [80, 100])

    def test_a_draft_in_between(self):
        """The next period waits for the draft, and so does the end of the discount."""
        self.plan.invoice_posting = "draft"
        order = self._run(self._quote(discount=("sol_discount", 20, "periods", 1)))
        draft = self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        self.assertEqual(order.order_line.discount, 20)
        draft.unlink()
        self.assertEqual(self._run_cron("2026-02-01").amount_untaxed, 80)

    def test_agreed_while_there_is_a_draft(self):
        """February's draft is without it: March has it, and was skipped."""
        self.plan.invoice_posting = "draft"
        for kind in ("sol_discount", "so_discount"):
            with self.subTest(kind=kind):
                order = self._run(self._quote())
                self._run_cron("2026-01-01").action_post()
                draft = self._run_cron("2026-02-01")
                with freeze_time("2026-02-10"):
                    self._discount(order, kind, 20, "once")
                draft.action_post()
                march = self._run_cron("2026-03-01")
                self.assertEqual(march.amount_untaxed, 80)
                march.action_post()
                with freeze_time("2026-03-02"):
                    order.set_close()

    def test_quantity_changes_meanwhile(self):
        """Odoo sets discounts anew with the quantity where pricelists show theirs."""
        self.env.ref("base.group_user")._apply_group(
            self.env.ref("sale.group_discount_per_so_line")
        )
        pricelist = self.env["product.pricelist"].create({"name": "Sample"})
        order = self._quote(
            discount=("sol_discount", 20, "periods", 2), pricelist_id=pricelist.id
        )
        self._run(order)
        amounts = self._invoice_months(order, 1)
        order.order_line.product_uom_qty = 2
        self.assertEqual(
            amounts + self._invoice_months(order, 2, month=2), [80, 160, 200]
        )

    def test_a_locked_order(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "once")))
        order.action_lock()
        self.assertEqual(self._invoice_months(order, 2), [80, 100])

    def test_many_at_once(self):
        """The run invoices them together: each has its own discount."""
        orders = [
            self._run(self._quote(discount=("sol_discount", 20, "periods", count)))
            for count in (1, 2, 3)
        ]
        self._run_cron("2026-01-01")
        invoices = self._run_cron("2026-02-01")
        amounts = [
            invoices.filtered(
                lambda m, o=o: o in m.invoice_line_ids.subscription_id
            ).amount_untaxed
            for o in orders
        ]
        self.assertEqual(amounts, [100, 80, 80])

    # === MRR ===

    def test_counts_while_it_holds(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "periods", 2)))
        self.assertEqual(order.recurring_monthly, 80)
        self._invoice_months(order, 2)
        self.assertEqual(order.recurring_monthly, 80)
        self._run_cron("2026-03-01")
        self.assertEqual(order.recurring_monthly, 100)
        self.assertLog(order, ("new", 80), ("expansion", 20))
        self.assertEqual(
            str(max(order.sale_order_log_ids.mapped("event_date"))), "2026-03-01"
        )

    def test_on_one_invoice_is_no_less_revenue(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "once")))
        self.assertEqual(order.recurring_monthly, 100)
        self._invoice_months(order, 2)
        self.assertLog(order, ("new", 100))

    # === COPIES ===

    def test_a_copy_has_it_anew(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "periods", 2)))
        self._invoice_months(order, 1)
        copy = self._run(order.copy(), "2026-02-01")
        self.assertEqual(self._invoice_months(copy, 3, month=2), [80, 80, 100])

    def test_a_copy_after_it_has_ended_is_without(self):
        order = self._run(self._quote(discount=("sol_discount", 20, "periods", 1)))
        self._invoice_months(order, 2)
        copy = self._run(order.copy(), "2026-03-01")
        self.assertEqual(self._invoice_months(copy, 2, month=3), [100, 100])
