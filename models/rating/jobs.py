"""What the steps of rating hand to each other."""

from datetime import date, datetime
from typing import NamedTuple

from ...engine.billing.rating import Agreement


class Window(NamedTuple):
    """A row of ``fusion.billing.window``, as far as rating asks of it."""

    id: int
    order: int
    company: int
    plan: int
    currency: int
    start: datetime
    end: datetime
    first_day: date
    end_day: date
    kind: str
    is_settled: bool


class Job(NamedTuple):
    """One thing to rate: a metric of a window, at an agreement.

    ``known``: the agreement as it is stored, under the id ``key``; None: not yet.
    """

    window: Window
    metric: int
    agreement: Agreement
    known: Agreement | None
    key: int | None
