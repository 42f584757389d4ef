from odoo.tests import tagged

from .overview_case import OverviewCase

# What can be added up, whatever the rows are: numbers of things. Amounts are fields of
# type monetary, and are grouped by currency.
ADDED = {
    "fusion.billing.api.log": "event_count accepted duplicates conflicts rejected"
    " request_bytes",
    "fusion.billing.api.refusal": "requests events",
    "fusion.billing.window": "event_count",
    # Of one metric that adds up, and of no other: tests/usage/test_billed.py.
    "fusion.billing.usage": "quantity",
    "fusion.billing.reconciliation": "declared_count actual_count difference_count",
}
LISTED = (
    *ADDED,
    "fusion.billing.rating",
    "fusion.billing.window.charge",
    "fusion.billing.webhook",
    "fusion.billing.webhook.attempt",
    "fusion.billing.audit",
    "fusion.billing.audit.result",
    "fusion.billing.audit.finding",
)


@tagged("post_install", "-at_install")
class TestPivots(OverviewCase):
    """Pivots and graphs added revisions, maxima and quantities of several metrics."""

    def test_only_what_can_be_added_is(self):
        for model in LISTED:
            added = {
                name
                for name, field in self.env[model]._fields.items()
                if field.type in ("integer", "float")
                and field.store
                and field.aggregator == "sum"
                and name != "id"
            }
            with self.subTest(model=model):
                self.assertEqual(added, set(ADDED.get(model, "").split()))

    def test_released_ratings_do_not_count_twice(self):
        """100.00 were billed, credited, and are billed again: 100.00, not 200.00."""
        invoice = self._invoiced(self.order)
        invoice._reverse_moves(
            [{"fc_bill_again": True, "date": "2026-02-01"}], cancel=True
        )
        self.order._fc_rate_usage()
        ratings = self.order.fc_rating_ids
        self.assertEqual(
            [(r.state, r.amount) for r in ratings.sorted("revision")],
            [("released", 100.0), ("open", 100.0)],
        )
        domain = [("subscription_id", "=", self.order.id)]
        [[amount, untaxed]] = self.env["fusion.billing.rating"]._read_group(
            domain, [], ["amount:sum", "amount_untaxed:sum"]
        )
        self.assertEqual((amount, untaxed), (100.0, 100.0))

    def test_amounts_stand_by_currency(self):
        """The views that add amounts begin with a row, or a bar, for each currency."""
        for kind in ("pivot", "graph"):
            arch = self.env["fusion.billing.rating"].get_view(view_type=kind)["arch"]
            self.assertIn('name="currency_id"', arch)
            self.assertNotIn('name="quantity"', arch)
