"""How the events of a window become one quantity.

PostgreSQL does it over the usage table; :func:`aggregate` says the same on plain
values, as the reference the SQL is tested against and to replay a dispute by hand.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from .money import EXACT

AGGREGATIONS = ("sum", "count", "max", "last", "unique")

# Over the rows ``u`` of one window; without rows each is 0. ``last`` is decided by
# the time the usage happened: it must not depend on the order in which a source app
# sends. Where that is the same, it is decided by arrival, which the ids follow, also
# those of one request.
SQL_EXPRESSION = {
    "sum": "coalesce(sum(u.quantity), 0)",
    "count": "count(u.id)::numeric",
    "max": "coalesce(max(u.quantity), 0)",
    "last": (
        "coalesce((array_agg(u.quantity ORDER BY u.period_start DESC, u.id DESC))[1],"
        " 0)"
    ),
    "unique": "count(DISTINCT u.unique_key)::numeric",
}


def aggregate(
    kind: str, events: Iterable[tuple[datetime, int, Decimal, str | None]]
) -> Decimal:
    """Return the quantity of a window; 0 without events.

    :param kind: one of :data:`AGGREGATIONS`
    :param events: (period_start, order of arrival, quantity, unique_key) each, in
        any order; ``unique`` counts distinct keys and leaves out those without
    :raises ValueError: unknown kind
    """
    if kind not in AGGREGATIONS:
        raise ValueError(f"unknown aggregation: {kind}")
    events = list(events)
    if not events:
        return Decimal(0)
    if kind == "count":
        return Decimal(len(events))
    if kind == "unique":
        return Decimal(len({key for *_rest, key in events if key is not None}))
    if kind == "last":
        return max(events, key=lambda event: event[:2])[2]
    if kind == "max":
        return max(quantity for _start, _order, quantity, _key in events)
    total = Decimal(0)
    for _start, _order, quantity, _key in events:
        total = EXACT.add(total, quantity)
    return total
