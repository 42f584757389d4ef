"""Days, months and midnights."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timezone
from zoneinfo import ZoneInfo


def add_months(day: date, count: int) -> date:
    """The same day of a later month, or its last one."""
    years, month = divmod(day.month - 1 + count, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def boundary_after(anchor: date, day: date) -> date:
    """The first boundary after a day; they are counted from the anchor."""
    count = (day.year - anchor.year) * 12 + day.month - anchor.month - 1
    while add_months(anchor, count) <= day:
        count += 1
    return add_months(anchor, count)


def is_boundary(anchor: date, day: date) -> bool:
    count = (day.year - anchor.year) * 12 + day.month - anchor.month
    return add_months(anchor, count) == day


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins, in naive UTC."""
    local = datetime.combine(day, time.min, ZoneInfo(zone))
    return local.astimezone(timezone.utc).replace(tzinfo=None)
