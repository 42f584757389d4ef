"""Where the billing windows of a subscription begin and end.

Windows follow each other without gap or overlap: the next one begins at the instant at
which the last one ended, whatever the dates, the time zone or the plan say by then.
All instants are naive UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from .calendar import Calendar, aligned_from
from .periods import day_start_utc

BILLING = "billing"
GAP = "gap"  # time that nobody bills
# At most so many windows are made at once: a mistyped start (the year 206) must not
# make thousands.
MOST = 600


@dataclass(frozen=True)
class Span:
    """One window, as it is or as it is to be.

    :param start: first instant of it
    :param end: first instant after it
    :param first_day: the day ``start`` is the beginning of, when it was cut
    :param end_day: likewise of ``end``: the day after the last one
    :param tz: IANA name of the time zone it was cut in
    :param plan: id of the plan that prices it
    :param key: id of its record; None: it has none yet
    :param is_fixed: it was settled once, so its bounds stay
    :param anchor: the day that the calendar was counted from when it was made
    """

    start: datetime
    end: datetime
    first_day: date
    end_day: date
    tz: str
    plan: int | None
    kind: str = BILLING
    key: int | None = None
    is_fixed: bool = False
    anchor: date | None = None

    def contains(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def stays(self) -> bool:
        return self.is_fixed or self.kind == GAP


@dataclass(frozen=True)
class SubscriptionDates:
    """What a running subscription says of its time.

    :param first_day: from then on its usage is billed
    :param period_day: the day the window begins that the next invoice bills, where
        somebody has moved it; None: it is where the one before ended
    :param next_day: the day of the next invoice
    :param end_day: the first day on which it no longer runs; None: without end
    :param calendar: its boundaries
    :param forgotten: a day at which a window ended that is no boundary any more
    :param is_aligned: a period begins where one of the calendar does
    :param tz: IANA name
    :param plan: id of its plan
    """

    first_day: date
    period_day: date | None
    next_day: date
    end_day: date | None
    calendar: Calendar
    is_aligned: bool
    tz: str
    plan: int
    forgotten: date | None = None

    def boundary_after(self, day: date) -> date:
        """The boundary that follows on ``day`` where no date says which."""
        calendar = self.calendar
        if self.is_aligned:
            # Counted from the first period of the calendar that is whole.
            first = aligned_from(calendar.unit, calendar.value, self.next_day)
            if day < first:
                return first
            calendar = Calendar(calendar.unit, calendar.value, first)
        return calendar.boundary_after(day)


def follow(
    spans: Sequence[Span], dates: SubscriptionDates, now: datetime, restart: bool
) -> tuple[Span, ...]:
    """The windows of a running subscription, from what they were so far.

    What is settled, or a gap, stays. The rest is cut at the days that the subscription
    names, then by its calendar until one window ends after ``now``.

    :param spans: its windows so far, in order
    :param restart: its start was moved: the first window begins there
    """
    stay = _staying(spans)
    tail = spans[len(stay) :]
    if stay:
        start, day = stay[-1].end, stay[-1].end_day
    elif tail and not restart:
        start, day = tail[0].start, tail[0].first_day
    else:
        day = dates.first_day
        start = day_start_utc(day, dates.tz)
    made = [*stay]
    for end_day in _boundaries(dates, tail, day, now):
        if dates.end_day and end_day > dates.end_day:
            end_day = dates.end_day
        end = _instant(end_day, tail, dates.tz, now)
        if end_day <= day or end <= start:
            continue
        made.append(_span(tail, (start, end, day, end_day), dates, now))
        start, day = end, end_day
    return tuple(made)


def _staying(spans):
    """Up to the last one whose bounds stay."""
    count = max((i for i, span in enumerate(spans, 1) if span.stays), default=0)
    return tuple(spans[:count])


def _boundaries(dates, tail, day, now):
    """The days at which windows end, from ``day`` on, one after the other."""
    # Where another plan began, somebody's choice of the day stands.
    plans = {a.end_day for a, b in pairwise(tail) if a.plan != b.plan}
    passed = {
        span.end_day
        for span in tail
        if span.end <= now
        and (span.end_day != dates.forgotten or span.end_day in plans)
        and (span.end_day < dates.next_day or dates.next_day <= day)
    }
    named = {dates.next_day}
    if dates.period_day and dates.period_day < dates.next_day:
        named.add(dates.period_day)
    ends = sorted(end for end in passed | named if end > day)
    yield from ends
    last = ends[-1] if ends else day
    count = 0
    while count < MOST and (not ends or day_start_utc(last, dates.tz) <= now):
        last = dates.boundary_after(last)
        ends.append(last)
        count += 1
        yield last


def _instant(day, tail, tz, now):
    """The beginning of ``day``; that of a window which is over stays as it was."""
    for span in tail:
        if span.end_day == day and span.end <= now:
            return span.end
    return day_start_utc(day, tz)


def _span(tail, bounds, dates, now):
    start, end, day, end_day = bounds
    known = next((span for span in tail if span.start == start), None)
    if known is None:
        anchor = dates.calendar.anchor
        return Span(start, end, day, end_day, dates.tz, dates.plan, anchor=anchor)
    # A window keeps the plan it began with.
    plan = known.plan if start <= now else dates.plan
    tz = known.tz if known.end == end else dates.tz
    anchor = known.anchor if known.end_day == end_day else dates.calendar.anchor
    return replace(known, end=end, end_day=end_day, plan=plan, tz=tz, anchor=anchor)


def gap_until(spans: Sequence[Span], day: date, tz: str) -> tuple[Span, ...]:
    """The windows, and a gap after them up to ``day`` where they end before it."""
    last = spans[-1]
    moment = day_start_utc(day, tz)
    if moment <= last.end or day <= last.end_day:
        return tuple(spans)
    gap = Span(last.end, moment, last.end_day, day, tz, last.plan, GAP)
    return (*spans, gap)


def cut_at(spans: Sequence[Span], day: date, tz: str) -> tuple[Span, ...]:
    """The windows, the one around ``day`` ending there.

    Also one that is settled: what is later is another window's. Of those after it only
    what was settled stays.
    """
    made, end = [], day_start_utc(day, tz)
    for span in spans:
        if span.end_day <= day:
            made.append(span)
        elif span.first_day >= day:
            if span.is_fixed:  # it explains an invoice: never dropped
                made.append(replace(span, kind=BILLING))
        elif end > span.start:
            made.append(replace(span, end=end, end_day=day))
    return tuple(made)


def end_at(
    spans: Sequence[Span], day: date, tz: str, before: date | None
) -> tuple[Span, ...]:
    """The windows of a subscription that ends on ``day``.

    The one around that day ends there; what was billed after it becomes a gap, so that
    it is taken back. A gap that only an earlier end date (``before``) had made is a
    window again, as far as the subscription goes on.

    :param day: first day on which it no longer runs
    :param before: the end date that it had until now
    """
    end, made = day_start_utc(day, tz), []
    for span in without_end(spans, before) if before else spans:
        if span.end_day <= day or span.kind == GAP:
            made.append(span)
        elif span.first_day >= day:
            if span.is_fixed:
                made.append(replace(span, kind=GAP))
        elif end > span.start:
            made.append(replace(span, end=end, end_day=day))
            if span.is_fixed:  # kept as a gap, in case the end is taken back
                rest = Span(end, span.end, day, span.end_day, tz, span.plan, GAP)
                made.append(rest)
    return tuple(made)


def without_end(spans: Sequence[Span], before: date) -> tuple[Span, ...]:
    """The windows of a subscription that was to end on ``before``, and goes on.

    What was cut there is whole again.
    """
    made = []
    for span in spans:
        if span.kind != GAP or span.first_day < before:
            made.append(span)
        elif made and not span.is_fixed and made[-1].end_day == before:
            made[-1] = replace(made[-1], end=span.end, end_day=span.end_day)
        else:
            made.append(replace(span, kind=BILLING))
    return tuple(made)
