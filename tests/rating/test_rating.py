from datetime import date, datetime
from decimal import Decimal
from unittest.mock import patch

from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestRating(BillingCase):
    def _rate(self, order=None):
        return (order or self.order)._fc_rate_usage()

    def _cron(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "fusion_centralized_billing.cron_rate_usage"
            ).method_direct_trigger()

    # -- amounts ---------------------------------------------------------------

    def test_standard_charges_what_exceeds_the_quota(self):
        # 250 calls, 100 included, 0.50 each: 150 x 0.50 = 75.00
        self._record(250)
        rating = self._rate()
        self.assertEqual(rating.quantity, 250)
        self.assertEqual(rating.included, 100)
        self.assertEqual(rating.billable, 150)
        self.assertEqual(rating.amount, 75.0)
        line = self._usage_line()
        self.assertEqual(
            (line.product_uom_qty, line.price_unit, line.price_subtotal),
            (1, 75.0, 75.0),
        )
        self.assertEqual(line.product_id, self.usage_product)
        self.assertEqual(rating.order_line_id, line)

    def test_another_plan_does_not_price_what_was_rated(self):
        """Its list price is 0; the amount of rating looks like a price of a list."""
        if not hasattr(self.order, "_recompute_recurring_prices"):
            self.skipTest("Another edition changes plans in its own way")
        self._record(250)
        self._rate()
        self.assertFalse(
            self.order._recompute_recurring_prices() & self._usage_line(),
            "a new plan prices usage lines again",
        )
        self.assertEqual(self._usage_line().price_unit, 75.0)

    def test_package_charges_whole_batches(self):
        self.charge.write(
            {
                "charge_model": "package",
                "included_quota": 1000,
                "unit_batch": 500,
                "price_per_unit": 2.0,
            }
        )
        for at, quantity, amount in (
            (1, 1000, 0.0),  # the quota, to the last unit
            (2, 1, 2.0),  # 1001: one batch begun
            (3, 499, 2.0),  # 1500: that batch to its last unit
            (4, "0.5", 4.0),  # 1500.5: the next one begun
        ):
            self._record(quantity, f"2026-01-0{at} 00:00:00")
            with self.subTest(total=quantity):
                self.assertEqual(sum(self._rate().mapped("amount")), amount)

    def test_the_amount_is_rounded_once_half_up(self):
        # 1 x 0.125 = 0.125 -> 0.13, and 3 x 0.335 = 1.005 -> 1.01, where
        # floats, or rounding to even, would give 0.12 and 1.00
        self.charge.write({"included_quota": 0, "price_per_unit": 0.125})
        self._record(1)
        self.assertEqual(self._rate().amount, 0.13)
        self.charge.price_per_unit = 0.335
        self._record(2, "2026-01-11 00:00:00")
        self.assertEqual(self._rate().amount, 1.01)

    def test_prices_below_a_cent_are_exact(self):
        # 123456 x 0.0000012345 = 0.15240643... -> 0.15
        self.charge.write({"included_quota": 0, "price_per_unit": 0.0000012345})
        self._record(123456)
        rating = self._rate()
        self.assertEqual(rating.amount, 0.15)
        self.assertEqual(rating.explanation["unit_price"], "0.0000012345")
        self.assertEqual(Decimal(rating.explanation["amount"]), Decimal("0.152406432"))

    def test_no_line_for_nothing(self):
        self.assertFalse(self._rate())
        self._record(100)  # the quota: rated, but nothing to bill
        rating = self._rate()
        self.assertEqual((rating.quantity, rating.amount), (100, 0.0))
        self.assertFalse(self._usage_line())

    def test_an_existing_line_follows_its_amount_down_to_zero(self):
        event = self._record(101)
        self._rate()
        self.assertEqual(self._usage_line().price_unit, 0.5)
        event._void("sent by mistake")
        self._rate()
        self.assertEqual(self._usage_line().price_unit, 0.0)
        self.assertNotIn(self._usage_line(), self.order._get_invoiceable_lines())

    def test_one_line_per_charge_however_often_it_is_rated(self):
        self._record(101)
        first = self._rate()
        stamp = first.write_date
        self.assertEqual(self._rate(), first)
        self.assertEqual(first.write_date, stamp)
        self._record(1, "2026-01-11 00:00:00")
        self.assertEqual(self._rate(), first)
        self.assertEqual(len(self._usage_line()), 1)
        self.assertEqual(self._usage_line().price_unit, 1.0)

    def test_rating_leaves_no_messages(self):
        """Amounts change by the hour, and are no news to the order's followers."""
        order = self.order.with_context(tracking_disable=False)
        messages = self.env["mail.message"].sudo()
        domain = [("model", "=", "sale.order"), ("res_id", "=", order.id)]
        before = messages.search(domain)
        for amount in (75.0, 100.0):  # 150, then 200 calls above the quota, 0.50 each
            self._record(250 if amount == 75.0 else 50)
            self._rate(order)
            order.env.flush_all()
            self.env.cr.precommit.run()
            self.assertEqual(order.amount_untaxed, 10.0 + amount)
        self.assertEqual(messages.search(domain), before)

    def test_the_price_list_does_not_touch_a_usage_line(self):
        self._record(101)
        self._rate()
        line = self._usage_line()
        self.usage_product.list_price = 99.0
        self.order._recompute_prices()
        line.product_uom_qty = 1.0
        self.assertEqual(line.price_unit, 0.5)

    def test_a_charge_in_another_currency_is_converted_at_the_windows_end(self):
        other = self.env["res.currency"].create(
            {"name": "XTA", "symbol": "xta", "rounding": 0.01}
        )
        for day, rate in (("2026-01-01", 4.0), ("2026-02-01", 2.0)):
            self.env["res.currency.rate"].create(
                {
                    "currency_id": other.id,
                    "name": day,
                    "rate": rate,
                    "company_id": self.company.id,
                }
            )
        # 30 x 0.50 = 15.00 XTA; 2 XTA to one of ours on 1 February: 7.50
        self.charge.currency_id = other
        self._record(130)
        self.assertEqual(self._rate().amount, 7.5)

    def test_the_description_tells_what_how_much_and_when(self):
        self._record("12250.5")
        self._rate()
        self.assertEqual(
            self._usage_line().name,
            "API calls\ncalls: 12,250.5 from 01/01/2026 to 01/31/2026, 100 included,"
            f" 12,150.5 at 0.50 {self.currency.name} each",
        )

    # -- what is rated ---------------------------------------------------------

    def test_a_charge_rates_subscriptions_on_its_own_plan_only(self):
        """Every running subscription used to get every charge of its metric."""
        other_plan = self._create_plan(name="Other plan")
        other = self._create_subscription(plan_id=other_plan.id)
        self._record(200)
        self._record(200, order=other)
        self._cron()
        self.assertEqual(self._usage_line().price_unit, 50.0)
        self.assertFalse(other.order_line.fc_charge_id)
        self.assertFalse(other.fc_rating_ids)

    def test_the_window_is_the_subscriptions_own(self):
        for start, end, expected in (
            # January: 110 on the 10th, 120 on the 20th
            (date(2026, 1, 1), date(2026, 2, 1), 230),
            (date(2026, 1, 10), date(2026, 1, 20), 110),
            (date(2026, 1, 11), date(2026, 1, 21), 120),
        ):
            order = self._create_subscription()
            self._set_window(order, start, end)
            self._record(110, "2026-01-10 00:00:00", order=order)
            self._record(120, "2026-01-20 00:00:00", order=order)
            with self.subTest(start=start):
                rating = self._rate(order).sorted("window_start")[0]
                self.assertEqual(rating.quantity, expected)
                self.assertEqual(rating.window_start.date(), start)
                self.assertEqual(rating.window_end.date(), end)

    def test_before_the_first_invoice_the_window_begins_with_the_subscription(self):
        self.order.write(
            {
                "start_date": "2026-01-05",
                "last_invoice_date": False,
                "next_invoice_date": "2026-02-05",
            }
        )
        self._record(101, "2026-01-04 23:59:59")
        self._record(102, "2026-01-05 00:00:00")
        self.assertEqual(self._rate().quantity, 102)

    def test_a_window_begins_at_midnight_of_the_billing_time_zone(self):
        self.company.fc_billing_tz = "Europe/Brussels"  # UTC+1 in January
        order = self._create_subscription()
        self._record(1000, "2025-12-31 22:59:59", order=order)
        self._record(101, "2025-12-31 23:00:00", order=order)
        self._record(1000, "2026-01-31 23:00:00", order=order)
        rating = self._rate(order).sorted("window_start")[0]
        self.assertEqual(rating.quantity, 101)
        self.assertEqual(rating.window_start, datetime(2025, 12, 31, 23))

    def test_the_price_is_the_one_valid_when_the_window_begins(self):
        self.charge.date_end = "2025-12-31"
        january = self._create_charge(
            price_per_unit=1.0, date_start="2026-01-01", date_end="2026-01-01"
        )
        self._create_charge(price_per_unit=9.0, date_start="2026-01-02")
        self._record(101)
        rating = self._rate()
        self.assertEqual((rating.charge_id, rating.amount), (january, 1.0))

    def test_quotations_are_not_rated_by_the_cron(self):
        quotation = self._create_order()
        self._record(200, order=quotation)
        self._cron()
        self.assertFalse(self._usage_line(quotation))
        self.assertFalse(quotation.fc_rating_ids)

    def test_each_that_waits_is_named_once(self):
        queue = self.env["fusion.billing.rating.queue"]
        orders = self.order | self._create_subscription() | self._create_subscription()
        quotation = self._create_order()
        for order in (*orders, quotation, *orders):
            self._record(1, order=order)
        self.assertEqual(queue._waiting(), orders.ids)
        self.assertEqual(queue._claim(orders.ids[1:]), orders[1:])
        queue._take(orders[0])
        self.assertEqual(queue._waiting(), orders[1:].ids)
        self.assertEqual(queue._claim(orders.ids), orders[1:])

    def test_the_oldest_change_is_rated_first_and_apps_take_turns(self):
        """One app sent usage of three subscriptions, then another one of its own.

        The job began at the lowest number, whoever had waited longest.
        """
        other = self._create_service(code="other-app", name="Other App")
        orders = self._create_subscription() | self._create_subscription() | self.order
        orders.fc_service_id = self.service
        theirs = self._create_subscription(fc_service_id=other.id)
        queue = self.env["fusion.billing.rating.queue"]
        queue._take(orders | theirs)
        for order in (self.order, *orders[:2], theirs, self.order):
            self._record(1, order=order)
        self.assertEqual(
            queue._waiting(), [self.order.id, theirs.id, orders[0].id, orders[1].id]
        )

    def test_a_subscription_that_fails_does_not_stop_the_others(self):
        other = self._create_subscription()
        self._record(200)
        self._record(200, order=other)
        Lines = type(self.env["fusion.billing.order.lines"])
        original = Lines._update

        def fail_for_one(lines, orders):
            if self.order in orders:
                raise ValueError("planted problem")
            return original(lines, orders)

        with patch.object(Lines, "_update", fail_for_one):
            self._cron()
        self.assertEqual(other.order_line.filtered("fc_charge_id").price_unit, 50.0)
        self.assertEqual(self.order.fc_rating_error, "planted problem")
        self.assertFalse(self._usage_line())
        self._cron()
        self.assertFalse(self.order.fc_rating_error)
        self.assertEqual(self._usage_line().price_unit, 50.0)
