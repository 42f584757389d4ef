from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestUpsell(SubscriptionCase):
    """A monthly subscription of 31 January; the period from 28 February has 31 days."""

    def setUp(self):
        super().setUp()
        self.order = self._create_subscription(start="2026-01-31")
        self._run_cron("2026-02-28")
        self.seat = self._create_product(name="Seat", list_price=20.0)

    def _upsell(self, day="2026-03-15", quantity=0, seats=0, setup=0):
        """A confirmed upsell of ``day``: more fees, seats and setups."""
        with freeze_time(day):
            upsell = self._create_upsell(quantity, seats, setup)
            upsell.action_confirm()
        return upsell

    def _create_upsell(self, quantity=0, seats=0, setup=0):
        upsell = self.order._create_upsell_renew_order("7_upsell")
        upsell.order_line.product_uom_qty = quantity
        for product, count in ((self.seat, seats), (self.setup_fee, setup)):
            if count:
                values = {"product_id": product.id, "product_uom_qty": count}
                upsell.order_line = [Command.create(values)]
        return upsell

    @freeze_time("2026-03-15")
    def test_quotation_shows_the_days_left(self):
        """16 of 31 days: 2 x 10 -> 10.32; 3 x 20 -> 30.97; the setup fee is whole."""
        upsell = self._create_upsell(quantity=2, seats=3, setup=1)
        self.assertEqual(upsell.subscription_state, "7_upsell")
        self.assertFalse(upsell.is_subscription)
        self.assertEqual(
            upsell.order_line.mapped("price_subtotal"), [10.32, 30.97, 40.0]
        )
        self.assertEqual(upsell.order_line.mapped("price_unit"), [10, 20, 40])
        self.assertEqual(upsell.amount_untaxed, 81.29)
        self.assertEqual(str(upsell.validity_date), "2026-03-30")

    def test_button_opens_it(self):
        with freeze_time("2026-03-15"):
            action = self.order.prepare_upsell_order()
        upsell = self.env["sale.order"].browse(action["res_id"])
        self.assertEqual(upsell.subscription_id, self.order)
        self.assertEqual(upsell.order_line.parent_line_id, self.order.order_line)

    def test_invoice_is_that_of_the_days_left(self):
        self._upsell(quantity=2, setup=1)
        invoice = self._run_cron("2026-03-16")
        self.assertEqual(
            invoice.invoice_line_ids.mapped("price_subtotal"), [10.32, 40.0]
        )
        self.assertEqual(invoice.state, "posted")
        self.assertEqual(invoice.invoice_line_ids.subscription_id, self.order)
        self.assertEqual(
            invoice.invoice_line_ids[0].name.splitlines()[-1],
            "1 Month 03/15/2026 to 03/30/2026 (16 of 31 days)",
        )

    def test_invoiced_once(self):
        self._upsell(quantity=2)
        self.assertEqual(len(self._run_cron("2026-03-16")), 1)
        self.assertFalse(self._run_cron("2026-03-17"))
        with self.assertRaises(UserError):
            self.order.subscription_child_ids._create_invoices()

    def test_left_in_draft_as_the_plan_says(self):
        self.plan.invoice_posting = "draft"
        self._upsell(quantity=2)
        self.assertEqual(self._run_cron("2026-03-16").state, "draft")
        self.assertFalse(self._run_cron("2026-03-17"))

    def test_more_of_the_same_raises_the_quantity(self):
        self._upsell(quantity=2)
        self.assertEqual(self.order.order_line.product_uom_qty, 3)
        self._run_cron("2026-03-16")
        self.assertEqual(self._run_cron("2026-03-31").amount_total, 30)

    def test_another_product_is_a_new_line_at_full_price(self):
        upsell = self._upsell(seats=2, setup=1)
        self._run_cron("2026-03-16")
        line = self.order.order_line[1:]
        self.assertEqual(
            (line.product_id, line.product_uom_qty, line.price_unit), (self.seat, 2, 20)
        )
        self.assertEqual(upsell.order_line[0].parent_line_id, line)
        self.assertEqual(self._run_cron("2026-03-31").amount_total, 50)

    def test_other_price_is_a_line_of_its_own(self):
        with freeze_time("2026-03-15"):
            upsell = self._create_upsell(quantity=2)
            upsell.order_line.discount = 50
            upsell.action_confirm()
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [1, 2])
        self._run_cron("2026-03-16")
        self.assertEqual(self._run_cron("2026-03-31").amount_total, 20)

    def test_lines_left_at_zero_are_dropped(self):
        upsell = self._upsell(seats=1)
        self.assertEqual(upsell.order_line.product_id, self.seat)

    def test_dates_of_the_subscription_stay(self):
        self._upsell(quantity=2)
        self.assertDates(self.order, "2026-02-28", "2026-03-31")
        self.assertEqual(
            self.order.subscription_child_ids.subscription_state, "7_upsell"
        )

    def test_mrr_is_logged_once(self):
        self._upsell(quantity=2, seats=3, setup=1)
        self.assertLog(self.order, ("new", 10), ("expansion", 80))

    def test_mrr_of_the_quotation_is_that_of_whole_months(self):
        with freeze_time("2026-03-15"):
            upsell = self._create_upsell(seats=3)
        self.assertEqual(upsell.recurring_monthly, 60)

    def test_cancelled_takes_its_lines_off_again(self):
        upsell = self._upsell(quantity=2, seats=3)
        upsell._action_cancel()
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [1, 0])
        self.assertLog(self.order, ("new", 10), ("expansion", 80), ("contraction", -80))

    def test_cancelled_quotation_takes_nothing_off(self):
        with freeze_time("2026-03-15"):
            upsell = self._create_upsell(quantity=2)
            upsell._action_cancel()
        self.assertEqual(self.order.order_line.product_uom_qty, 1)

    def test_out_of_date_is_refused_until_updated(self):
        """Quoted in March, accepted in April: the amounts are not those of April."""
        with freeze_time("2026-03-15"):
            upsell = self._create_upsell(quantity=2)
        self._run_cron("2026-03-31")
        with freeze_time("2026-04-15"):
            with self.assertRaisesRegex(UserError, "Update its dates"):
                with self.env.cr.savepoint():
                    upsell.action_confirm()
            upsell.action_update_upsell_dates()
            upsell.action_confirm()
        # 15 of the 30 days from 31 March to 29 April
        self.assertEqual(self._run_cron("2026-04-15").amount_total, 10)

    def test_draft_of_the_next_period_bars_the_way(self):
        """It would not have what is added."""
        with freeze_time("2026-03-15"):
            upsell = self._create_upsell(quantity=2)
        self.plan.invoice_posting = "draft"
        draft = self._run_cron("2026-03-31")
        with freeze_time("2026-03-31"):
            with self.assertRaisesRegex(UserError, "draft invoice"):
                with self.env.cr.savepoint():
                    upsell.action_confirm()
            draft.unlink()
            upsell.action_confirm()
        self.assertEqual(self.order.order_line.product_uom_qty, 3)

    def test_negative_quantity_is_refused(self):
        with self.assertRaisesRegex(UserError, "An upsell can only add"):
            self._upsell(quantity=-1)

    def test_next_date_moved_it_costs_a_whole_period_at_most(self):
        """Next invoice on 5 April instead of 31 March: 36 days are left on 28 February.

        The days of the period are those from 5 March on, 31 of 31: 2 x 10.00.
        """
        with freeze_time("2026-02-28"):
            self.order.next_invoice_date = "2026-04-05"
        upsell = self._upsell(day="2026-02-28", quantity=2)
        self.assertEqual(upsell.amount_untaxed, 20)
        invoice = self._run_cron("2026-02-28")
        self.assertEqual(invoice.amount_total, 20)
        line = invoice.invoice_line_ids
        self.assertIn("03/05/2026 to 04/04/2026", line.name)
        self.assertNotIn("days", line.name)

    def test_not_before_the_first_invoice(self):
        order = self._create_subscription(start="2026-03-01")
        with self.assertRaisesRegex(UserError, "not been invoiced"):
            order.prepare_upsell_order()

    @freeze_time("2026-04-02")
    def test_not_while_a_period_is_due(self):
        with self.assertRaisesRegex(UserError, "Invoice the next one"):
            self.order.prepare_upsell_order()

    def test_not_of_what_does_not_run(self):
        self.order.pause_subscription()
        with self.assertRaisesRegex(UserError, "not a subscription in progress"):
            self.order.prepare_upsell_order()

    def test_parent_closed_meanwhile_refuses_it(self):
        with freeze_time("2026-03-15"):
            upsell = self._create_upsell(quantity=2)
            self.order.set_close()
            with self.assertRaisesRegex(UserError, "not a subscription in progress"):
                upsell.action_confirm()

    def test_joins_a_locked_order(self):
        self.order.action_lock()
        self._upsell(quantity=2, seats=1)
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [3, 1])

    def test_unused_months_are_never_charged_twice(self):
        """Two upsells in one period each charge their own days."""
        self._upsell(day="2026-03-10", quantity=1)
        self._upsell(day="2026-03-20", quantity=1)
        invoices = self._run_cron("2026-03-20")
        # 21 and 11 of 31 days
        self.assertEqual(invoices.mapped("amount_total"), [6.77, 3.55])
        self.assertEqual(self._run_cron("2026-03-31").amount_total, 30)
