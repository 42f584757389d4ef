"""Compares the webhooks written by Odoo with those that arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from .compare import Comparison, show_count
from .tables import table


def webhook_table(
    comparison: Comparison,
    outbox: Sequence[Mapping],
    arrivals: Sequence[Mapping],
    right: Counter,
) -> str:
    """Webhooks by type: written, sent, received once, and verified.

    Every one in the outbox must have arrived, whatever its type; of the types in
    `right` there must be that many.
    """
    good = [a for a in arrivals if a["answered"] == 200 and not a["repeated"]]
    received = {arrival["event_id"]: arrival for arrival in good}
    rows = []
    written = Counter(row["event_type"] for row in outbox)
    for event_type in sorted(written | right):
        events = [row for row in outbox if row["event_type"] == event_type]
        count = len(events)
        arrived = [
            received[row["event_id"]] for row in events if row["event_id"] in received
        ]
        cells = [
            comparison.check(f"webhooks {event_type} {name}", got, wanted, show_count)
            for name, got, wanted in (
                ("written", count, right.get(event_type, count)),
                ("sent", sum(row["state"] == "sent" for row in events), count),
                ("received", len(arrived), count),
                ("verified (X-Fusion-Signature)", _sum_of(arrived, "fusion"), count),
                ("verified (Standard Webhooks)", _sum_of(arrived, "standard"), count),
                ("at the right app", _right_app(events, received), count),
            )
        ]
        rows.append([event_type, *cells[:5]])
    unknown = received.keys() - {row["event_id"] for row in outbox}
    comparison.check("webhooks received that nobody wrote", len(unknown), 0)
    headings = (
        *("Webhook", ">Written", ">Sent", ">Received"),
        *(">Fusion signature", ">Standard Webhooks signature"),
    )
    return table(headings, rows)


def _sum_of(arrivals: Sequence[Mapping], name: str) -> int:
    return sum(arrival[name] for arrival in arrivals)


def _right_app(events: Sequence[Mapping], received: Mapping) -> int:
    return sum(
        row["event_id"] in received and received[row["event_id"]]["app"] == row["app"]
        for row in events
    )


def retries(
    comparison: Comparison, outbox: Sequence[Mapping], arrivals: Sequence[Mapping]
) -> str:
    """The events that were refused once, and came again under the same id."""
    refused = {a["event_id"] for a in arrivals if a["answered"] == 503}
    attempts = {row["event_id"]: row["attempts"] for row in outbox}
    good = {a["event_id"] for a in arrivals if a["answered"] == 200}
    comparison.check("webhooks refused once with 503", len(refused), 1)
    comparison.check(
        "refused webhooks that were accepted later", refused & good, refused
    )
    for event_id in refused:
        comparison.check(f"attempts of {event_id}", attempts.get(event_id), 2)
    wrong = sum(a["answered"] == 401 for a in arrivals)
    comparison.check("webhooks with a wrong signature or body", wrong, 0)
    came_again = "came again" if refused and refused <= good else "did NOT come again"
    return (
        f"\n  One invoice.posted was answered with 503 on purpose; it {came_again}"
        " under the same event id."
    )
