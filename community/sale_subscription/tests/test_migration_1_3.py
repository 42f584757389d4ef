import runpy

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import file_path

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestMigration13(SubscriptionCase):
    """What an update makes of rows from before 19.0.1.3.0."""

    def _migrate(self, name):
        self.env.flush_all()
        path = f"sale_subscription/migrations/19.0.1.3.0/{name}.py"
        runpy.run_path(file_path(path))["migrate"](self.env.cr, "19.0.1.2.0")
        self.env.flush_all()
        self.env.invalidate_all()

    def test_lines_for_days_leave_the_totals(self):
        """10.00 a month; 3.87 for 12 of 31 days, and -5.00 given back, were in it."""
        order = self._create_subscription(self.fee, self.setup_fee)
        other = self._create_subscription(self.fee, self.setup_fee)
        with freeze_time("2026-01-05"):
            order.pause_subscription()
        with freeze_time("2026-01-20"):
            order.resume_subscription()
        given_back = order.order_line[0].copy(
            {"order_id": order.id, "price_unit": -5, "recurring_invoice": False}
        )
        days = order.order_line.filtered("charged_from")
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_order_line SET is_days_line = NULL")
        self.env.cr.execute(
            "UPDATE sale_order SET amount_untaxed = 48.87, amount_total = 48.87"
            " WHERE id = %s",
            [order.id],
        )
        self.env.invalidate_all()
        self._migrate("post-days-lines")
        marked = (order | other).order_line.filtered("is_days_line")
        self.assertEqual(marked, days | given_back)
        self.assertEqual((order.amount_untaxed, order.amount_total), (50, 50))
        self.assertEqual(other.amount_total, 50)

    def test_a_plan_alone_leaves_the_count(self):
        alone = self._create_subscription(self.setup_fee)
        running = self._create_subscription()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order_log SET active_change = 1 WHERE order_id = %s",
            [alone.id],
        )
        self.env.invalidate_all()
        self._migrate("post-days-lines")
        self.assertEqual(alone.sale_order_log_ids.active_change, 0)
        self.assertEqual(running.sale_order_log_ids.active_change, 1)

    def test_plans_of_before_send_no_mails(self):
        self.assertTrue(self.plan.send_customer_mails)
        self._migrate("pre-customer-mails")
        self.assertFalse(self.plan.send_customer_mails)
