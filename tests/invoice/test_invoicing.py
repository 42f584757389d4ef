from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestInvoicing(BillingCase):
    """Rated right before invoicing, and never billed twice."""

    def _invoice(self):
        return self.order._create_invoices()

    def _usage_amount(self, moves):
        lines = moves.invoice_line_ids.filtered(
            lambda line: line.product_id == self.usage_product
        )
        return sum(lines.mapped("price_subtotal"))

    def test_apps_take_turns_in_the_daily_run(self):
        """One app's three subscriptions are due longer than another app's one."""
        other = self._create_service(code="other-app", name="Other App")
        long_due = self.env["sale.order"].concat(
            *(self._create_subscription(start_date="2025-12-01") for _i in range(3))
        )
        long_due.fc_service_id = self.service
        theirs = self._create_subscription(
            start_date="2026-01-01", fc_service_id=other.id
        )
        orders = long_due | theirs
        orders.next_invoice_date = "2026-01-01"
        with freeze_time("2026-01-01 12:00:00"):
            moves = orders._create_recurring_invoice(automatic=True, batch_size=1)
        invoiced = moves.sorted("id").line_ids.sale_line_ids.order_id
        self.assertEqual(invoiced, long_due[0] | theirs | long_due[1:])

    def test_an_invoice_rates_its_window_first(self):
        """Usage that came after the last cron run was billed a month late."""
        self._record(200)
        self.order._fc_rate_usage()
        self._record(10, "2026-01-31 23:59:59")
        move = self._invoice()
        # 210 - 100 included = 110 x 0.50
        self.assertEqual(self._usage_amount(move), 55.0)
        self.assertEqual(move.amount_untaxed, 65.0)  # and the base fee
        rating = self.order.fc_rating_ids
        self.assertEqual((rating.state, rating.invoice_id), ("invoiced", move))
        self.assertEqual(rating.invoice_line_id.price_unit, 55.0)

    def test_lines_of_amount_zero_are_left_off(self):
        self._record(100)
        move = self._invoice()
        self.assertEqual(move.invoice_line_ids.product_id, self.base_product)
        # the window is settled all the same
        rating = self.order.fc_rating_ids
        self.assertEqual((rating.state, rating.invoice_id), ("invoiced", move))

    def test_after_an_invoice_the_next_window_starts_at_zero(self):
        self._record(200)
        move = self._invoice()
        self.assertEqual(self._usage_line().price_unit, 0.0)
        move.action_post()
        self._set_window(self.order, date(2026, 2, 1), date(2026, 3, 1))
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 0.0)
        self._record(103, "2026-02-01 00:00:00")
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 1.5)

    def test_the_same_window_is_not_billed_twice(self):
        """Button and cron both made an invoice before the date had moved on."""
        self._record(200)
        first = self._invoice()
        self.assertEqual(self._usage_amount(first), 50.0)
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 0.0)

    def test_usage_after_an_early_invoice_is_billed_as_the_difference(self):
        self._record(90)
        self._invoice()
        self._record(20, "2026-01-30 00:00:00")
        # 110 - 100 included = 10 x 0.50; the quota is not granted twice
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 5.0)
        revisions = self.order.fc_rating_ids.sorted("revision")
        self.assertEqual(revisions.mapped("revision"), [0, 1])
        self.assertEqual(revisions.mapped("state"), ["invoiced", "open"])

    def test_late_usage_goes_on_the_next_invoice_as_the_difference(self):
        """It was on no invoice: January was closed when the app posted it."""
        self._record(90)
        self._invoice().action_post()
        self._set_window(self.order, date(2026, 2, 1), date(2026, 3, 1))
        answer = self._post_usage(
            self._event(
                quantity=30,
                period_start="2026-01-31T23:59:59Z",
                period_end="2026-02-01T00:00:00Z",
            )
        )
        self.assertEqual(answer["results"], [{"status": "accepted"}])
        self._record(104, "2026-02-02 00:00:00")
        move = self._invoice()
        # January: 120 - 100 = 20 x 0.50, nothing billed before; February: 4 x 0.50
        self.assertEqual(self._usage_amount(move), 12.0)
        january, february = move.invoice_line_ids.filtered(
            lambda line: line.product_id == self.usage_product
        )
        self.assertIn("calls: 120 from 01/01/2026 to 01/31/2026", january.name)
        self.assertEqual(january.price_subtotal, 10.0)
        self.assertEqual(january.fc_rating_ids.window_start.month, 1)
        self.assertIn("calls: 104 from 02/01/2026 to 02/28/2026", february.name)
        self.assertEqual(february.price_subtotal, 2.0)
        move.action_post()
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 0.0)

    def test_a_void_after_the_invoice_lowers_the_next_one(self):
        self._record(200)
        wrong = self._record(50, "2026-01-11 00:00:00")
        self._invoice().action_post()
        self._set_window(self.order, date(2026, 2, 1), date(2026, 3, 1))
        wrong._void("sent twice by the app")
        # 100 x 0.50 instead of 150 x 0.50, which was billed
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, -25.0)
        # the base fee of 10.00 does not cover it: a credit note over 15.00
        move = self._invoice()
        move.action_post()
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_refund", 15.0))
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 0.0)

    def test_a_deleted_draft_releases_its_usage(self):
        self._record(200)
        move = self._invoice()
        move.unlink()
        self.assertEqual(self.order.fc_rating_ids.mapped("state"), ["released"])
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 50.0)

    def test_a_cancelled_invoice_releases_its_usage_for_the_next_one(self):
        self._record(200)
        move = self._invoice()
        move.action_post()
        move.button_draft()
        move.button_cancel()
        # the subscription has moved on; January is billed with February
        self._set_window(self.order, date(2026, 2, 1), date(2026, 3, 1))
        self._record(104, "2026-02-02 00:00:00")
        next_move = self._invoice()
        self.assertEqual(self._usage_amount(next_move), 52.0)
        # and the cancelled one can no longer be posted beside it
        move.button_draft()
        with self.assertRaises(UserError):
            move.action_post()

    def test_a_cancelled_invoice_that_is_posted_after_all_is_billed_once(self):
        self._record(200)
        move = self._invoice()
        move.button_cancel()
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 50.0)
        move.button_draft()
        move.action_post()
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_line().price_unit, 0.0)

    def test_a_copied_subscription_does_not_carry_the_amount(self):
        """The usage line became an ordinary line and billed its last amount again."""
        self._record(200)
        self.order._fc_rate_usage()
        copied = self.order.copy()
        self.assertEqual(copied.order_line.product_id, self.base_product)
        self.assertFalse(copied.fc_external_id)

    def test_an_invoiced_rating_does_not_change(self):
        self._record(200)
        self._invoice()
        for field, value in (("quantity", 1), ("amount", 1), ("window_end", date.max)):
            with self.subTest(field=field), self.assertRaises(UserError):
                self.order.fc_rating_ids.write({field: value})
        with self.assertRaises(UserError):
            self.order.fc_rating_ids.unlink()

    def test_a_plain_order_is_invoiced_as_ever(self):
        product = self._create_product(recurring_invoice=False)
        order = self._create_order(plan_id=False)
        order.order_line.product_id = product
        order.action_confirm()
        self.assertEqual(len(order._create_invoices()), 1)
        self.assertFalse(order.fc_rating_ids)
