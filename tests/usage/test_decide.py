from datetime import date

from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestDecide(BillingCase):
    """What finance is told of usage that nothing bills, before it decides."""

    def setUp(self):
        super().setUp()
        self.manager = new_test_user(
            self.env, "decider", "fusion_centralized_billing.group_manager"
        )

    def _wizard(self, events):
        Wizard = self.env["fusion.billing.usage.move.wizard"].with_user(self.manager)
        Wizard = Wizard.with_context(active_ids=events.ids)
        return Wizard.create(
            {"subscription_id": self.order.id, "reason": "Before it was signed"}
        )

    def test_why_nothing_bills_it(self):
        before = self._record(5, "2025-12-20 00:00:00")
        metric = self._create_metric(code="storage")
        unpriced = self._record(5, metric=metric)
        later = self._record(5, "2026-02-20 00:00:00", metric=metric)
        self.order.end_date = date(2026, 3, 1)
        after = self._record(5, "2026-03-02 00:00:00")
        billed = self._record(5)
        found = before | unpriced | after | billed | later
        self.assertEqual(
            found.with_user(self.manager).mapped("unallocated_reason"),
            ["before", "no_price", "gap", False, "no_price"],
        )

    def test_what_it_comes_to(self):
        """8 calls at 0.50 without the quota are 4.00; without a price there is none."""
        before = self._record(8, "2025-12-20 00:00:00")
        unpriced = self._record(5, metric=self._create_metric(code="storage"))
        found = (before | unpriced).with_user(self.manager)
        self.assertEqual(found.mapped("unallocated_value"), [4.0, 0.0])
        self.assertEqual(found[0].unallocated_currency_id, self.currency)
        self.assertFalse(found[1].unallocated_currency_id)

    def test_one_event_of_a_highest_value_has_none(self):
        metric = self._create_metric(code="seats", aggregation="max")
        self._create_charge(metric_id=metric.id)
        event = self._record(8, "2025-12-20 00:00:00", metric=metric)
        self.assertFalse(event.with_user(self.manager).unallocated_currency_id)

    def test_tiers_count_in_its_value(self):
        """5 at 2.00 and 3 at 1.00 are 13.00."""
        self.charge.write(
            {
                "charge_model": "graduated",
                "minimum_amount": 100,
                "tier_ids": [
                    Command.create({"up_to": 5, "price_per_unit": 2}),
                    Command.create({"up_to": 0, "price_per_unit": 1}),
                ],
            }
        )
        event = self._record(8, "2025-12-20 00:00:00")
        self.assertEqual(event.with_user(self.manager).unallocated_value, 13.0)

    def test_billing_is_previewed_and_nothing_stays_of_it(self):
        """January has 150 calls: 25.00. With 40 more of December 45.00."""
        self._record(150)
        event = self._record(40, "2025-12-20 00:00:00")
        self.order._fc_rate_usage()
        rating = self.order.fc_rating_ids
        wizard = self._wizard(event)
        wizard.action_preview()
        text = str(wizard.preview)
        for told in ("API calls", "150", "190", "25.00", "45.00", "20.00"):
            self.assertIn(told, text)
        self.assertEqual(wizard.previewed_id, self.order)
        self.assertEqual(event.state, "unallocated")
        self.assertEqual(self._usage_count(), 2)
        rating.invalidate_recordset()
        self.assertEqual((rating.quantity, rating.amount), (150, 25.0))
        wizard.action_move()
        self.assertEqual(event.state, "voided")
        self.assertEqual(self.order._fc_rate_usage().amount, 45.0)
