"""Where billing begins: of a contract that another system has billed so far."""

from dataclasses import dataclass
from datetime import date

from ..errors import BillingError
from .calendar import Calendar, aligned_from

FIELD = "billed_until"


@dataclass(frozen=True)
class Periods:
    """The periods of a subscription, from its first day on.

    :param start: its first day
    :param whole: where its whole periods begin and end; on a plan that is aligned to
        the calendar, days before the first of them are a period of their own
    """

    start: date
    whole: Calendar

    def begins(self, day: date) -> bool:
        """Whether a period begins on ``day``."""
        return day == self.start or (day > self.start and self.whole.has(day))

    def end_of(self, day: date) -> date:
        """The first day after the period that ``day`` lies in."""
        return self.whole.boundary_after(day)


def periods_of(unit: str, value: int, aligned: bool, start: date) -> Periods:
    """The periods of a subscription that begins on ``start``.

    :param unit: "week", "month" or "year"
    :param value: so many units are a period
    :param aligned: whether periods are those of the calendar
    """
    anchor = aligned_from(unit, value, start) if aligned else start
    return Periods(start, Calendar(unit, value, anchor))


def first_billed_day(periods: Periods, billed_until: date | None, today: date) -> date:
    """The first day that is billed here.

    It must be said where a period is over: it was billed elsewhere, or is billed here,
    and a guess bills a customer twice, or not at all. It is the first day of a period,
    and not of one that is yet to come: "until 31 January" would be a day too many.

    :param billed_until: what was said (the first day that is not billed elsewhere)
    :raises BillingError: ``missing_field``, ``invalid_billed_until``
    """
    start = periods.start
    if billed_until is None:
        if periods.end_of(start) > today:
            return start
        raise BillingError(
            "missing_field",
            "billed_until required, because a whole period since start_date is over:"
            " the first day that was not billed elsewhere; start_date itself to have"
            " all of them billed here",
            FIELD,
        )
    if billed_until < start:
        raise _invalid("it is before start_date")
    latest = start if start > today else periods.end_of(today)
    if billed_until > latest:
        raise _invalid(f"the latest is {latest}, where the next period begins")
    if not periods.begins(billed_until):
        following = periods.end_of(billed_until)
        raise _invalid(
            "it is the first day that was not billed elsewhere, and must be the first"
            f" of a period, as {following} is"
        )
    return billed_until


def periods_due(periods: Periods, first: date, today: date, end: date | None) -> int:
    """How many periods from ``first`` on have begun, and so are due to be invoiced.

    :param end: the first day that is not billed any more, or None
    """
    last = today if end is None else min(today, date.fromordinal(end.toordinal() - 1))
    count = 0
    while first <= last:
        first = periods.end_of(first)
        count += 1
    return count


def _invalid(reason):
    return BillingError(
        "invalid_billed_until", f"invalid billed_until: {reason}", FIELD
    )
