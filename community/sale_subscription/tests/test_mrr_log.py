from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestMrrLog(SubscriptionCase):
    def assertAddsUp(self, order):
        """The amounts add up to the MRR of now, in both currencies."""
        log = order.sale_order_log_ids
        running = order.subscription_state == "3_progress"
        mrr = order.recurring_monthly if running else 0
        self.assertAlmostEqual(sum(log.mapped("amount_signed")), mrr, places=6)
        self.assertEqual(sum(log.mapped("active_change")), int(running))
        self.assertAlmostEqual(
            sum(log.mapped("amount_company_signed")),
            order.company_id.currency_id.round(mrr / order.currency_rate),
            places=6,
        )

    def test_life(self):
        order = self._create_subscription(self.fee, self.setup_fee)
        for day, method in (
            ("2026-01-10", order.pause_subscription),
            ("2026-01-20", order.resume_subscription),
            ("2026-02-10", order.set_close),
            ("2026-03-10", order.set_open),
        ):
            with freeze_time(day):
                method()
            self.assertAddsUp(order)
        self.assertLog(
            order,
            ("new", 10),
            ("pause", -10),
            ("resume", 10),
            ("churn", -10),
            ("reopen", 10),
        )
        rows = order.sale_order_log_ids.sorted("id")
        self.assertEqual(rows.mapped("active_change"), [1, -1, 1, -1, 1])
        self.assertEqual(
            [str(row.event_date) for row in rows],
            ["2026-01-01", "2026-01-10", "2026-01-20", "2026-02-10", "2026-03-10"],
        )

    def test_closed_while_paused_takes_nothing_more(self):
        order = self._create_subscription()
        order.pause_subscription()
        order.set_close()
        self.assertLog(order, ("new", 10), ("pause", -10), ("churn", 0))

    def test_edits_of_a_running_subscription(self):
        """3 x 10, then 3 x 12, then 10 % off: 10, 30, 36, 32.40; 20 more; gone."""
        order = self._create_subscription()
        line = order.order_line
        line.product_uom_qty = 3
        line.price_unit = 12
        line.discount = 10
        added = self.env["sale.order.line"].create(
            {"order_id": order.id, "product_id": self.fee.id, "product_uom_qty": 2}
        )
        added.product_uom_qty = 0
        self.assertLog(
            order,
            ("new", 10),
            ("expansion", 20),
            ("expansion", 6),
            ("contraction", -3.6),
            ("expansion", 20),
            ("contraction", -20),
        )
        self.assertAddsUp(order)

    def test_edits_in_one_form_are_one_row(self):
        order = self._create_subscription()
        order.write(
            {
                "order_line": [
                    Command.update(
                        order.order_line.id, {"product_uom_qty": 2, "price_unit": 15}
                    )
                ]
            }
        )
        self.assertLog(order, ("new", 10), ("expansion", 20))

    def test_quotation_has_no_mrr(self):
        order = self._create_quotation()
        order.order_line.product_uom_qty = 5
        self.assertFalse(order.sale_order_log_ids)

    def test_one_off_and_delivered_lines_do_not_count(self):
        order = self._create_subscription(self.fee, self.setup_fee, self.hours)
        order.order_line[1:].product_uom_qty = 7
        self.assertLog(order, ("new", 10))
        self.assertEqual(order.recurring_monthly, 10)

    def test_plan_written_on_the_order(self):
        order = self._create_subscription()
        order.plan_id = self._create_plan(billing_period_unit="year")
        self.assertLog(order, ("new", 10), ("contraction", -9.17))
        self.assertAddsUp(order)

    def test_foreign_currency_leaves_with_what_it_brought(self):
        """10 at 2 for 1 is 5; the rate of the day it ends does not matter."""
        currency = self.env["res.currency"].create({"name": "ZZZ", "symbol": "Z"})
        for day, rate in (("2026-01-01", 2.0), ("2026-02-01", 4.0)):
            self.env["res.currency.rate"].create(
                {"name": day, "rate": rate, "currency_id": currency.id}
            )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Sample", "currency_id": currency.id}
        )
        order = self._create_subscription(pricelist_id=pricelist.id)
        order.order_line.price_unit = 10
        with freeze_time("2026-02-15"):
            order.set_close()
        rows = order.sale_order_log_ids
        self.assertEqual(sum(rows.mapped("amount_company_signed")), 0)
        self.assertEqual(
            sum(rows.filtered(lambda r: r.amount_signed > 0).mapped("amount_signed")),
            20,
        )
        self.assertAddsUp(order)

    def test_it_outlives_a_cancelled_order(self):
        """Odoo lets a cancelled order be deleted: past months would change."""
        order = self._create_subscription()
        order._action_cancel()
        with self.assertRaisesRegex(UserError, "is part of the reports of that time"):
            order.unlink()
        self.assertTrue(order.sale_order_log_ids)
        quotation = self._create_quotation()
        quotation._action_cancel()
        quotation.unlink()

    def test_a_plan_alone_is_not_counted_as_running(self):
        """Until something of it recurs, and not when nothing does any more."""
        order = self._create_subscription(self.setup_fee)
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertLog(order, ("new", 0))
        self.assertEqual(order.sale_order_log_ids.active_change, 0)
        order.order_line = [Command.create({"product_id": self.fee.id})]
        self.assertLog(order, ("new", 0), ("new", 10))
        self.assertAddsUp(order)
        order.order_line[1].recurring_invoice = False
        rows = order.sale_order_log_ids.sorted("id")
        self.assertEqual(rows.mapped("event_type"), ["new", "new", "churn"])
        self.assertEqual(rows.mapped("active_change"), [0, 1, -1])
        self.assertEqual(rows.mapped("amount_signed"), [0, 10, -10])

    def test_what_is_measured_recurs(self):
        """Its MRR is none, but it runs."""
        order = self._create_subscription(self.hours)
        self.assertEqual(order.sale_order_log_ids.active_change, 1)

    def test_nobody_writes_it_by_hand(self):
        order = self._create_subscription()
        for group in ("sales_team.group_sale_manager", "account.group_account_manager"):
            user = new_test_user(self.env, f"log_{group[:5]}", group)
            log = order.sale_order_log_ids.with_user(user)
            with self.assertRaises(AccessError):
                log.amount_signed = 5
            with self.assertRaises(AccessError):
                log.unlink()
            with self.assertRaises(AccessError):
                log.create({"order_id": order.id})
