from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestReconciliation(BillingCase):
    def _reconcile(self, **values):
        record = self.env["fusion.billing.reconciliation"].create(
            {
                "service_id": self.service.id,
                "subscription_id": self.order.id,
                "metric_id": self.metric.id,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
            }
            | values
        )
        record.action_compare()
        return record

    def test_equal_totals_match(self):
        self._record("120.5", "2026-01-01 00:00:00")
        self._record("30.25", "2026-01-31 23:59:59")
        self._record(7, "2026-02-01 00:00:00")  # the next window's
        self.order._fc_rate_usage()
        # 150.75 - 100 = 50.75 x 0.50 = 25.375 -> 25.38
        record = self._reconcile(
            declared_quantity=150.75,
            declared_count=2,
            has_declared_count=True,
            declared_amount=25.38,
            has_declared_amount=True,
        )
        self.assertEqual(record.state, "matched")
        self.assertEqual(record.actual_quantity, 150.75)
        self.assertEqual(record.actual_count, 2)
        self.assertEqual(record.actual_amount, 25.38)

    def test_each_difference_is_a_mismatch(self):
        self._record(150)
        self.order._fc_rate_usage()
        for number, values in enumerate(
            (
                {"declared_quantity": 150.0000000001},
                {"declared_quantity": 150, "declared_count": 2}
                | {"has_declared_count": True},
                {"declared_quantity": 150, "declared_amount": 25.01}
                | {"has_declared_amount": True},
            )
        ):
            with self.subTest(values=values):
                record = self._reconcile(
                    window_end=f"2026-02-01 00:00:0{number}", **values
                )
                self.assertEqual(record.state, "mismatch")

    def test_the_responsible_is_asked_to_look(self):
        record = self._reconcile(declared_quantity=1)
        self.assertEqual(record.activity_ids.user_id, record.user_id)

    def test_what_was_not_declared_is_not_compared(self):
        self._record(150)
        self.assertEqual(self._reconcile(declared_quantity=150).state, "matched")

    def test_a_mismatch_is_told_once_and_heals(self):
        self._record(150)
        record = self._reconcile(declared_quantity=151)
        record.action_compare()
        self.assertEqual(record.difference_quantity, 1)
        told = self.service.webhook_ids.filtered(
            lambda w: w.event_type == "reconciliation.mismatch"
        )
        self.assertEqual(len(told), 1)
        self._record(1, "2026-01-31 00:00:00")
        self.assertEqual(record.current_quantity, 151)
        record.action_compare()
        self.assertEqual(record.state, "matched")
        self.assertFalse(record.activity_ids)

    def test_a_mismatch_is_explained_with_a_note(self):
        record = self._reconcile(declared_quantity=1)
        with self.assertRaises(ValidationError):
            record.action_explain()
        record.note = "The app counted its own health checks."
        record.action_explain()
        self.assertEqual(record.state, "explained")

    def test_only_subscriptions_are_reconciled(self):
        order = self._create_order(plan_id=False)
        with self.assertRaises(ValidationError):
            self._reconcile(subscription_id=order.id)
