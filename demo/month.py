"""The month that is billed, and how a row of `usage.csv` falls into it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC, half-open: `[start, end)`.

    :param start: its first day
    :param end: the first day of the next month
    """

    start: date
    end: date

    @classmethod
    def before(cls, today: date) -> Month:
        """The calendar month before the one `today` lies in."""
        end = today.replace(day=1)
        return cls((end - timedelta(days=1)).replace(day=1), end)

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month named `YYYY-MM`; raises ValueError for other text."""
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
            raise ValueError(f"{text!r} is not a month written as YYYY-MM")
        start = date.fromisoformat(f"{text}-01")
        return cls(start, (start + timedelta(days=31)).replace(day=1))

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.end - timedelta(days=1)

    def day(self, text: str) -> date:
        """Date of a `day` cell: 1 to 28, `last` or `next` (day 1 of the next month)."""
        if text == "last":
            return self.last
        if text == "next":
            return self.end
        return self.start.replace(day=int(text))

    def moment(self, day: str, time: str) -> datetime:
        """Naive UTC datetime of two cells; ValueError when `time` is no time of day."""
        return datetime.strptime(f"{self.day(day)} {time}", "%Y-%m-%d %H:%M:%S")

    def contains(self, moment: datetime) -> bool:
        return self.start <= moment.date() < self.end

    def __str__(self) -> str:
        return f"{self.start} to {self.last}"
