"""How the events of a window become one quantity.

Each aggregation is one object in :data:`AGGREGATIONS`. PostgreSQL does it over the
table of events; its :attr:`~Aggregation.reference` says the same on plain values: what
the SQL is tested against, and how a dispute is replayed by hand.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .money import EXACT

# (period_start, order of arrival, quantity, unique_key)
Event = tuple[datetime, int, Decimal, str | None]


@dataclass(frozen=True)
class Aggregation:
    """One way in which events add up.

    :param name: what the database and the API call it
    :param label: what people read
    :param sql: over the rows ``u`` of one window; 0 without rows
    :param reference: the same of a window's events, of which there is one at least
    :param needs_key: an event without ``unique_key`` is refused
    :param goes_by_order: of events at one instant the order in the request decides
    """

    name: str
    label: str
    sql: str
    reference: Callable[[Sequence[Event]], Decimal]
    needs_key: bool = False
    goes_by_order: bool = False


def _sum(events: Sequence[Event]) -> Decimal:
    total = Decimal(0)
    for _start, _order, quantity, _key in events:
        total = EXACT.add(total, quantity)
    return total


AGGREGATIONS: dict[str, Aggregation] = {
    aggregation.name: aggregation
    for aggregation in (
        Aggregation("sum", "Sum", "coalesce(sum(u.quantity), 0)", _sum),
        Aggregation(
            "count",
            "Count of events",
            "count(u.id)::numeric",
            lambda events: Decimal(len(events)),
        ),
        Aggregation(
            "max",
            "Maximum",
            "coalesce(max(u.quantity), 0)",
            lambda events: max(quantity for _start, _order, quantity, _key in events),
        ),
        # Decided by the time the usage happened: it must not depend on the order in
        # which a source app sends. Where that is the same, it is decided by arrival,
        # which the ids follow, also those of one request.
        Aggregation(
            "last",
            "Last value",
            "coalesce((array_agg(u.quantity ORDER BY u.period_start DESC, u.id DESC))"
            "[1], 0)",
            lambda events: max(events, key=lambda event: event[:2])[2],
            goes_by_order=True,
        ),
        Aggregation(
            "unique",
            "Unique count",
            "count(DISTINCT u.unique_key)::numeric",
            lambda events: Decimal(
                len({key for *_rest, key in events if key is not None})
            ),
            needs_key=True,
        ),
    )
}


def register(aggregation: Aggregation) -> None:
    """Add an aggregation; see docs/extend/aggregation.md."""
    AGGREGATIONS[aggregation.name] = aggregation


def aggregate(kind: str, events: Iterable[Event]) -> Decimal:
    """Return the quantity of a window; 0 without events.

    :param kind: key of :data:`AGGREGATIONS`
    :param events: in any order; ``unique`` counts distinct keys and leaves out those
        without
    :raises ValueError: unknown kind
    """
    if kind not in AGGREGATIONS:
        raise ValueError(f"unknown aggregation: {kind}")
    events = list(events)
    return AGGREGATIONS[kind].reference(events) if events else Decimal(0)
