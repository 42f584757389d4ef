from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestCustomerYear(SubscriptionCase):
    """A customer's year, day by day, with dates and amounts worked out by hand.

    Base is 100 a month or 270 a quarter, a seat 20 a month or 54 a quarter, the setup
    40 once. Nothing is taxed.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quarterly = cls._create_plan(name="Quarterly", billing_period_value=3)
        cls.base = cls._create_product(name="Base", list_price=100.0)
        cls.seat = cls._create_product(name="Seat", list_price=20.0)
        for product, price in ((cls.base, 270), (cls.seat, 54)):
            cls.env["product.pricelist.item"].create(
                {
                    "pricelist_id": False,
                    "plan_id": cls.quarterly.id,
                    "applied_on": "1_product",
                    "product_tmpl_id": product.product_tmpl_id.id,
                    "compute_price": "fixed",
                    "fixed_price": price,
                }
            )

    def _run_day(self, day):
        """Both scheduled actions, as they run every day."""
        invoices = self._run_cron(day)
        with freeze_time(day):
            self.env["sale.order"]._cron_subscription_expiration()
        return invoices

    def _amounts(self, day):
        return self._run_day(day).mapped("amount_total")

    def test_year(self):
        order, upsell = self._first_months()
        self._pause_in_may(order)
        self._change_plan_in_july(order)
        renewal = self._renew_in_october(order)
        self._close_in_december(renewal)
        # All that was invoiced: 140+100+20.65+140+140+46.66+140+305.74+378
        orders = order + upsell + renewal
        self.assertAlmostEqual(
            sum(orders.invoice_ids.mapped("amount_total")), 1411.05, places=2
        )
        self._assert_logs(order, renewal)

    def _first_months(self):
        order = self._create_subscription(self.base, self.setup_fee, start="2026-01-31")
        # 31 January: the first month, and the setup
        self.assertEqual(self._amounts("2026-01-31"), [140])
        self.assertDates(order, "2026-01-31", "2026-02-28")
        self.assertEqual(self._amounts("2026-02-27"), [])
        self.assertEqual(self._amounts("2026-02-28"), [100])
        self.assertDates(order, "2026-02-28", "2026-03-31")

        # 15 March: two seats for the 16 days left of 31: 2 x 20 x 16/31
        with freeze_time("2026-03-15"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line = [
                Command.create({"product_id": self.seat.id, "product_uom_qty": 2})
            ]
            self.assertEqual(upsell.amount_total, 20.65)
            upsell.action_confirm()
        self.assertEqual(self._amounts("2026-03-15"), [20.65])
        self.assertEqual(self._amounts("2026-03-31"), [140])
        self.assertDates(order, "2026-03-31", "2026-04-30")
        self.assertEqual(self._amounts("2026-04-30"), [140])
        self.assertDates(order, "2026-04-30", "2026-05-31")
        return order, upsell

    def _pause_in_may(self, order):
        # 10 May: paused until 20 June; the period of 31 May is not invoiced
        with freeze_time("2026-05-10"):
            order.pause_subscription(fields.Date.to_date("2026-06-20"))
        self.assertEqual(self._amounts("2026-05-31"), [])
        self.assertEqual(self._amounts("2026-06-19"), [])
        self.assertEqual(order.subscription_state, "4_paused")
        # 20 June: the 10 days left of the 30 from 31 May: base 33.33, seats 13.33. The
        # job that invoices runs once more, after the one that resumes.
        self.assertEqual(self._amounts("2026-06-20"), [])
        invoice = self._run_cron("2026-06-20")
        self.assertEqual(
            invoice.invoice_line_ids.mapped("price_subtotal"), [33.33, 13.33]
        )
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertDates(order, "2026-05-31", "2026-06-30")
        self.assertEqual(self._amounts("2026-06-30"), [140])
        self.assertDates(order, "2026-06-30", "2026-07-31")

    def _change_plan_in_july(self, order):
        # 15 July: quarterly from today. Of 31 days 16 are unused: base 51.61, seats
        # 20.65; the quarter costs 270 + 2 x 54.
        with freeze_time("2026-07-15"):
            order.change_plan(self.quarterly, "now")
        invoice = self._run_day("2026-07-15")
        self.assertEqual(
            invoice.invoice_line_ids.mapped("price_subtotal"),
            [270, 108, -51.61, -20.65],
        )
        self.assertEqual(invoice.amount_total, 305.74)
        self.assertDates(order, "2026-07-15", "2026-10-15")

    def _renew_in_october(self, order):
        # 5 October: renewed; the new order begins where the old one ends
        with freeze_time("2026-10-05"):
            renewal = order._create_upsell_renew_order("2_renewal")
            renewal.action_confirm()
        self.assertEqual(order.subscription_state, "5_renewed")
        self.assertEqual(self._amounts("2026-10-14"), [])
        invoice = self._run_day("2026-10-15")
        self.assertEqual(invoice.amount_total, 378)
        self.assertEqual(invoice.invoice_line_ids.subscription_id, renewal)
        self.assertDates(renewal, "2026-10-15", "2027-01-15")
        return renewal

    def _close_in_december(self, renewal):
        # 20 December: closed, with a reason; nothing comes after it
        reason = self.env.ref("sale_subscription.close_reason_too_expensive")
        with freeze_time("2026-12-20"):
            renewal.set_close(reason.id)
        self.assertEqual(renewal.close_reason_id, reason)
        self.assertEqual(str(renewal.end_date), "2026-12-20")
        self.assertEqual(self._amounts("2027-01-31"), [])

    def _assert_logs(self, order, renewal):
        self.assertLog(
            order,
            ("new", 100),
            ("expansion", 40),
            ("pause", -140),
            ("resume", 140),
            ("contraction", -14),
            ("transfer_out", -126),
        )
        self.assertLog(renewal, ("transfer_in", 126), ("churn", -126))
        self.assertEqual(
            [str(row.event_date) for row in order.sale_order_log_ids.sorted("id")],
            [
                "2026-01-31",
                "2026-03-15",
                "2026-05-10",
                "2026-06-20",
                "2026-07-15",
                "2026-10-05",
            ],
        )
