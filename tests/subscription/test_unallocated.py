from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import BillingCase

FEBRUARY = date(2026, 2, 1), date(2026, 3, 1)


@tagged("post_install", "-at_install")
class TestUnallocated(BillingCase):
    """Usage outside every window, or without a price, waits for finance."""

    def _answer(self, **values):
        [result] = self._post_usage(self._event(**values))["results"]
        return result.get("unallocated", False)

    def _at(self, start, **values):
        return self._answer(period_start=start, period_end=start, **values)

    def test_said_at_once(self):
        other = self._create_metric(code="free")
        self.assertTrue(self._at("2025-12-31T23:59:59Z"), "before it began")
        self.assertFalse(self._at("2026-01-01T00:00:00Z"), "in the open window")
        self.assertFalse(self._at("2026-02-01T00:00:00Z"), "in the next one")
        self.assertTrue(
            self._at("2026-01-02T00:00:00Z", metric_code=other.code), "without a price"
        )

    def test_after_the_end(self):
        self.order.end_date = "2026-03-01"
        self.assertFalse(self._at("2026-02-28T23:59:59Z"))
        self.assertTrue(self._at("2026-03-01T00:00:00Z"))

    def test_an_end_that_is_set_later_flags_what_lies_after_it(self):
        event = self._record(5, "2026-03-02 00:00:00")
        self.assertFalse(event.unallocated)
        self.order.end_date = "2026-03-01"
        self.assertTrue(event.unallocated)
        self.order.end_date = False
        self.assertFalse(event.unallocated)

    def test_a_price_that_comes_later_allocates_the_open_window(self):
        metric = self._create_metric(code="storage")
        event = self._record(3, metric=metric)
        self.assertTrue(event.unallocated)
        self._create_charge(metric_id=metric.id, included_quota=0)
        self.order._fc_rate_usage()
        self.assertFalse(event.unallocated)
        self.assertEqual(self._usage_amounts(), [1.5])

    def test_without_a_price_until_its_invoice(self):
        """Nothing said so, and it was on no invoice."""
        event = self._record(3)
        self.assertFalse(event.unallocated)
        self.charge.active = False
        self.order._create_invoices().action_post()
        self.assertTrue(event.unallocated)

    def _usage_amounts(self):
        return self.order.order_line.filtered("fc_charge_id").mapped("price_unit")

    # -- what finance does with it ---------------------------------------------

    def test_billed_on_the_next_invoice(self):
        """90 used before the start, 20 since: 10 above the quota, 0.50 each."""
        early = self._record("90.0000000001", "2025-12-30 00:00:00")
        self._record(20)
        moved = early._move_to(self.order, "used before the contract was signed")
        self.assertEqual((early.state, moved.state), ("voided", "accepted"))
        self.assertIn("before the contract", early.void_reason)
        self.assertEqual(str(moved.period_start), "2026-01-01 00:00:00")
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_amounts(), [5.0])
        rating = self.order._fc_open_ratings()
        self.assertEqual(rating.explanation["quantity"], "110.0000000001")
        # The app sends it again: known, and voided.
        again = self._post_usage(
            self._event(
                quantity="90.0000000001",
                period_start="2025-12-30T00:00:00Z",
                period_end="2025-12-30T01:00:00Z",
                idempotency_key=early.idempotency_key,
            )
        )
        self.assertEqual(again["accepted"], 0)

    def test_assigned_to_another_subscription_it_keeps_its_period(self):
        other = self._create_subscription()
        self._set_window(other, date(2025, 12, 1), date(2026, 1, 1))
        early = self._record(110, "2025-12-30 00:00:00")
        moved = early._move_to(other, "wrong subscription")
        self.assertEqual(moved.subscription_id, other)
        self.assertEqual(str(moved.period_start), "2025-12-30 00:00:00")
        other._fc_rate_usage()
        self.assertEqual(
            other.order_line.filtered("fc_charge_id").mapped("price_unit"), [5.0]
        )

    def test_moved_to_one_instant_the_last_stays_the_last(self):
        """Recorded in the opposite order; both count from the first of January on."""
        metric = self._create_metric(code="level", aggregation="last")
        self._create_charge(metric_id=metric.id, included_quota=0)
        early = self._record(7, "2025-12-30 00:00:00", metric=metric)
        early |= self._record(3, "2025-12-29 00:00:00", metric=metric)
        early._move_to(self.order, "used before the contract was signed")
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_amounts(), [3.5])

    def test_what_cannot_bill_it(self):
        early = self._record(1, "2025-12-30 00:00:00")
        stranger = self.env["res.partner"].create({"name": "Somebody else"})
        foreign = self._create_subscription(partner_id=stranger.id)
        with self.assertRaisesRegex(UserError, "another customer"):
            early._move_to(foreign, "x")
        no_price = self._create_subscription(plan_id=self._create_plan(name="P").id)
        with self.assertRaisesRegex(UserError, "no price"):
            early._move_to(no_price, "x")
        self.order.subscription_state = "6_churn"
        with self.assertRaisesRegex(UserError, "no price"):
            early._move_to(self.order, "x")
        with self.assertRaisesRegex(UserError, "Only unallocated"):
            self._record(1)._move_to(self.order, "x")

    def test_only_managers_bill_it(self):
        early = self._record(1, "2025-12-30 00:00:00")
        user = new_test_user(
            self.env, "fcb-reader", "fusion_centralized_billing.group_user"
        )
        with self.assertRaises(AccessError):
            early.with_user(user)._move_to(self.order, "x")

    def test_the_dialog(self):
        early = self._record(110, "2025-12-30 00:00:00")
        manager = new_test_user(
            self.env,
            "fcb-mover",
            "fusion_centralized_billing.group_manager,sales_team.group_sale_manager",
        )
        wizard = (
            self.env["fusion.billing.usage.move.wizard"]
            .with_user(manager)
            .with_context(**early.action_open_move_wizard()["context"])
            .create({"reason": "agreed by phone"})
        )
        self.assertEqual(wizard.subscription_id, self.order)
        self.assertEqual(wizard.partner_id, self.partner)
        wizard.action_move()
        self.order._fc_rate_usage()
        self.assertEqual(self._usage_amounts(), [5.0])


@tagged("post_install", "-at_install")
class TestGrace(BillingCase):
    """An invoice waits for the usage of its window, where the app asks for it."""

    def _waits(self, at, order=None):
        with freeze_time(at):
            grace = self.env["fusion.billing.grace"]
            return grace._is_waiting(order or self.order)

    def setUp(self):
        super().setUp()
        self.order.fc_service_id = self.service

    def test_hours(self):
        self.assertFalse(self._waits("2026-02-01 00:00:00"))
        self.service.write({"invoice_wait": "hours", "invoice_wait_hours": 48})
        self.assertTrue(self._waits("2026-02-01 00:00:00"))
        self.assertTrue(self._waits("2026-02-02 23:59:59"))
        self.assertFalse(self._waits("2026-02-03 00:00:00"))

    def test_until_it_is_declared_complete(self):
        self.service.write({"invoice_wait": "complete", "invoice_wait_hours": 0})
        self.assertTrue(self._waits("2026-06-01 00:00:00"), "without end")
        answer = self.service._api_reconcile(
            {
                "subscription_external_id": self.order.id,
                "metric_code": self.metric.code,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
                "declared_quantity": 0,
                "complete": True,
            }
        )
        self.assertEqual(answer["state"], "matched")
        self.assertFalse(self._waits("2026-02-01 00:00:00"))
        # A second metric with a price is still out.
        self._create_charge(metric_id=self._create_metric(code="storage").id)
        self.assertTrue(self._waits("2026-02-01 00:00:00"))
        self.service.invoice_wait_hours = 6
        self.assertFalse(self._waits("2026-02-01 06:00:00"), "at most so long")
