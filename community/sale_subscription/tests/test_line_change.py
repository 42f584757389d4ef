from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestLineChange(SubscriptionCase):
    """A fee of 10.00 a month from 1 January 2026; changed on the 11th: 21 days left."""

    def setUp(self):
        super().setUp()
        self.order = self._create_subscription()
        self._run_cron("2026-01-01")
        self.line = self.order.order_line
        self.seat = self._create_product(name="Seat", list_price=20.0)

    @freeze_time("2026-01-11")
    def _change(self, quantities, timing="next_period"):
        return self.order.change_lines(quantities, timing)

    def test_from_the_next_period_on(self):
        self.assertFalse(self._change({self.line: 3, self.seat: 2}))
        self.assertFalse(self._run_cron("2026-01-12"))
        self.assertEqual(self._run_cron("2026-02-01").amount_untaxed, 70.0)

    def test_mrr_counts_it_at_once(self):
        self._change({self.line: 3, self.seat: 2})
        self.assertLog(self.order, ("new", 10), ("expansion", 60))

    def test_now_is_an_upsell(self):
        """20.00 and 40.00 for 21 of 31 days: 13.55 + 27.10."""
        upsell = self._change({self.line: 3, self.seat: 2}, "now")
        self.assertEqual(upsell.subscription_state, "7_upsell")
        self.assertEqual(self._run_cron("2026-01-11").amount_untaxed, 40.65)
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [3, 2])
        self.assertEqual(self._run_cron("2026-02-01").amount_untaxed, 70.0)
        self.assertLog(self.order, ("new", 10), ("expansion", 60))

    def test_less_holds_from_the_next_period_on(self):
        self._change({self.line: 3})
        self._run_cron("2026-02-01")
        with freeze_time("2026-02-10"):
            self.assertFalse(self.order.change_lines({self.line: 1}, "now"))
            # and back to what is paid for February
            self.assertFalse(self.order.change_lines({self.line: 3}, "now"))
        self.assertFalse(self._run_cron("2026-02-10"))
        self.assertEqual(self._run_cron("2026-03-01").amount_untaxed, 30.0)

    def test_now_before_anything_is_invoiced(self):
        order = self._create_subscription()
        with freeze_time("2026-01-01"):
            self.assertFalse(order.change_lines({order.order_line: 2}, "now"))
        self.assertEqual(self._run_cron("2026-01-01").amount_untaxed, 20.0)

    def test_what_does_not_run_is_refused(self):
        quotation = self._create_quotation()
        with self.assertRaises(UserError):
            quotation.change_lines({quotation.order_line: 2})

    def test_who_may_not_write_it_may_not_do_this(self):
        user = self.env["res.users"].create(
            {"name": "Sample Reader", "login": "sample-reader"}
        )
        with self.assertRaises(UserError):
            self.order.with_user(user).change_lines({self.line: 2})
