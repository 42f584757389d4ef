from decimal import Decimal
from unittest.mock import patch

from odoo.tests import tagged

from ..rating.ledger_case import FEBRUARY, LedgerCase


@tagged("post_install", "-at_install")
class TestQueue(LedgerCase):
    """What changes puts its subscription in the queue; rating it takes it out."""

    def test_an_event_committed_beside_the_invoice_is_on_the_next_one(self):
        """The invoice's transaction could not see it; the queue keeps it."""
        queue = self.env["fusion.billing.rating.queue"]
        self._record(150)
        self.order._fc_rate_usage()
        with patch.object(type(queue), "_take", lambda *_args: ({}, {})):
            self._record(7, "2026-01-31 00:00:00")
            with patch.object(
                type(self.env["fusion.billing.rater"]),
                "_used",
                lambda _rater, jobs: [(Decimal(150), 1)] * len(jobs),
            ):
                self.assertEqual(self._usage_amount(self._invoice(FEBRUARY)), 25.0)
        self.assertEqual(self._open_amount(), 3.5)

    def test_nothing_is_looked_at_twice(self):
        self._record(150)
        self.order._fc_rate_usage()
        queue = self.env["fusion.billing.rating.queue"]
        self.assertNotIn(self.order.id, queue._waiting())
        self.assertFalse(queue._claim(self.order.ids))
        self._record(1, "2026-01-31 00:00:00")
        self.assertIn(self.order.id, queue._waiting())

    def test_a_new_price_has_its_subscriptions_rated(self):
        self._record(150)
        self.order._fc_rate_usage()
        self.charge.price_per_unit = 1.0
        queue = self.env["fusion.billing.rating.queue"]
        self.assertIn(self.order.id, queue._waiting())
