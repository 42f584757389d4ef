"""The days on which the periods of a subscription begin and end: its boundaries."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = {"month": 1, "year": 12}


@dataclass(frozen=True)
class Calendar:
    """Boundaries are the anchor plus n periods, for every whole n.

    Always counted from the anchor: stepping from the boundary before would stay on the
    28th for good after the first February.

    :param unit: "week", "month" or "year"
    :param value: so many units are a period, > 0
    :param anchor: boundary 0
    """

    unit: str
    value: int
    anchor: date

    def boundary(self, index: int) -> date:
        """The boundary ``index`` periods after the anchor.

        The last day of a month that is too short: 31 January, 28 February, 31 March.
        """
        if self.unit == "week":
            return self.anchor + timedelta(days=7 * self.value * index)
        months = self.anchor.month - 1 + self.value * _MONTHS[self.unit] * index
        year, month = self.anchor.year + months // 12, months % 12 + 1
        last_day = calendar.monthrange(year, month)[1]
        return date(year, month, min(self.anchor.day, last_day))

    def boundary_after(self, day: date) -> date:
        """The first boundary after ``day``."""
        index = self._index_near(day)
        while self.boundary(index) > day:
            index -= 1
        while self.boundary(index) <= day:
            index += 1
        return self.boundary(index)

    def has(self, day: date) -> bool:
        """Whether ``day`` is a boundary."""
        return self.boundary_after(day - timedelta(days=1)) == day

    def _index_near(self, day):
        if self.unit == "week":
            return (day - self.anchor).days // (7 * self.value)
        distance = (day.year - self.anchor.year) * 12 + day.month - self.anchor.month
        return distance // (self.value * _MONTHS[self.unit])


def calendar_of(
    unit: str, value: int, anchors: Iterable[date], boundary: date
) -> Calendar:
    """The calendar that has ``boundary`` in it.

    :param anchors: days the subscription may be counted from, the likeliest first;
        where none of them leads to ``boundary``, somebody has chosen another day, and
        that one is the anchor
    """
    for anchor in anchors:
        candidate = Calendar(unit, value, anchor)
        if candidate.has(boundary):
            return candidate
    return Calendar(unit, value, boundary)


def aligned_from(unit: str, value: int, day: date) -> date:
    """The first day on or after ``day`` on which a period of the calendar begins.

    Weeks begin on Monday (ISO 8601), years on 1 January, months on the first. Periods
    of several months are those of the calendar where a year holds a whole number of
    them: quarters begin in January, April, July and October.
    """
    if unit == "week":
        return day + timedelta(days=-day.weekday() % 7)
    months = 12 if unit == "year" else value
    months = 1 if 12 % months else months
    first = date(day.year, day.month - (day.month - 1) % months, 1)
    return first if first >= day else Calendar("month", months, first).boundary(1)
