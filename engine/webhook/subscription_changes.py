"""What of a subscription changed, as apps are told it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .event_types import (
    DayChange,
    LineChange,
    PlanChange,
    StateChange,
    SubscriptionChanges,
)

_DAYS = ("start_date", "end_date", "pause_date", "resume_date")


@dataclass(frozen=True)
class Line:
    """A product that is billed each period."""

    product_id: int | None
    quantity: Decimal


@dataclass(frozen=True)
class Known:
    """What apps know of a subscription.

    :param last_invoice_date: an invoice moves it together with the next one
    :param lines: id -> line
    """

    plan_id: int
    subscription_state: str
    start_date: date | None
    last_invoice_date: date | None
    next_invoice_date: date | None
    end_date: date | None
    pause_date: date | None
    resume_date: date | None
    lines: Mapping[int, Line]


def changes_between(before: Known, after: Known) -> SubscriptionChanges | None:
    """What is different, or None where nothing is.

    A next invoice date that an invoice has moved is no change: every period would be
    one, and ``invoice.posted`` tells of it.
    """
    changes: dict[str, object] = {}
    for name, kind in (("plan_id", PlanChange), ("subscription_state", StateChange)):
        if getattr(before, name) != getattr(after, name):
            changes[name] = kind(getattr(before, name), getattr(after, name))
    days = [*_DAYS]
    if before.last_invoice_date == after.last_invoice_date:
        days.append("next_invoice_date")
    for name in days:
        if getattr(before, name) != getattr(after, name):
            changes[name] = DayChange(getattr(before, name), getattr(after, name))
    if lines := _line_changes(before.lines, after.lines):
        changes["lines"] = lines
    return SubscriptionChanges(**changes) if changes else None


def _line_changes(before, after):
    found = []
    for line_id in sorted({*before, *after}):
        old, new = before.get(line_id), after.get(line_id)
        change = LineChange(
            line_id=line_id,
            product_id=(new or old).product_id,
            before=old.quantity if old else Decimal(0),
            after=new.quantity if new else Decimal(0),
        )
        if change.before != change.after:
            found.append(change)
    return found
