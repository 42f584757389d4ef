"""Windows, calendar steps, and the timestamps of the API. All naive UTC inside."""

import contextlib
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from ..errors import BillingError

_SECOND = timedelta(seconds=1)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# RFC 3339 date-time, with what source apps write besides: a space for the "T", no
# offset (UTC), an offset without colon or minutes (ISO 8601 basic, strftime's %z), no
# seconds, and up to nanoseconds. [0-9], because \d takes the digits of every script.
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(?:([Zz])|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?)?"
)
# The way nearly all of them are written; what it matches, fromisoformat reads right.
_COMMON = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(Z?)")

# What is used and billed lies in [EARLIEST, LATEST): any other year is mistyped.
EARLIEST = datetime(2000, 1, 1)
LATEST = datetime(2100, 1, 1)


@dataclass(frozen=True)
class Window:
    """A span of time ``[start, end)``: the start belongs to it, the end does not.

    Half-open, so that windows that follow each other hold each instant once.
    """

    start: datetime
    end: datetime

    def contains(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def is_empty(self) -> bool:
        return self.end <= self.start


def day_start_utc(day: date, tz_name: str) -> datetime:
    """Return the first instant of a local day, as naive UTC.

    That is midnight, except where clocks were put forward over midnight: there it
    is the moment of the change. Where midnight comes twice, it is the first.

    :param tz_name: IANA name, such as "America/Toronto"
    :raises BillingError: ``invalid_timezone``
    """
    zone = _zone(tz_name)
    midnight = datetime.combine(day, time.min)
    instant = _to_utc(midnight.replace(tzinfo=zone))
    if _to_local(instant, zone) == midnight:
        return instant
    # Midnight does not exist. Read with the offset of before the change it lies
    # not before the first instant of the day, and with that of after, before it.
    before = _to_utc(midnight.replace(tzinfo=zone, fold=1))
    after = instant
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _to_local(middle, zone).date() < day:
            before = middle
        else:
            after = middle
    return after


def window_between(start_date: date, end_date: date, tz_name: str) -> Window:
    """Return the window of whole local days from ``start_date`` up to ``end_date``."""
    return Window(day_start_utc(start_date, tz_name), day_start_utc(end_date, tz_name))


def parse_timestamp(value: object, field: str) -> datetime:
    """Return when something was used or billed, see :func:`parse_instant`.

    :param field: key the value came under, for the error
    :raises BillingError: ``invalid_period``: not an instant, or not of the years 2000
        to 2099
    """
    moment = parse_instant(value, field)
    if EARLIEST <= moment < LATEST:
        return moment
    raise BillingError(
        "invalid_period", f"invalid {field}: not of the years 2000 to 2099", field
    )


def parse_instant(value: object, field: str) -> datetime:
    """Return naive UTC, to the microsecond (finer digits are cut off).

    Accepts ISO 8601 with an offset or "Z", "YYYY-MM-DD HH:MM:SS" (with a space or
    "T"), which is UTC, each also without seconds, and "YYYY-MM-DD", which is UTC
    midnight. Offsets go up to 23:59 and seconds to 59, as in RFC 3339 without its leap
    seconds.

    :param field: key the value came under, for the error
    :raises BillingError: ``invalid_period``
    """
    if isinstance(value, str):
        # Not: 30 February, second 60, or beyond the calendar after the offset.
        with contextlib.suppress(ValueError, OverflowError):
            if _COMMON.fullmatch(value):
                return datetime.fromisoformat(value[:19])
            if match := _TIMESTAMP.fullmatch(value):
                return _build(match)
    raise BillingError("invalid_period", f"invalid {field}", field)


def parse_date(value: object, field: str, code: str) -> date:
    """Return the date written as YYYY-MM-DD, and only so.

    :param field: key the value came under, for the error
    :raises BillingError: with this code and field
    """
    # fromisoformat takes week dates and dates without hyphens, too.
    if isinstance(value, str) and _DATE.fullmatch(value):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    raise BillingError(code, f"invalid {field}", field)


def _build(match):
    year, month, day, hour, minute, second, fraction, _z, *offset = match.groups()
    sign, hours, minutes = offset
    if hour is None:
        return datetime(int(year), int(month), int(day))
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute),
        int(second or 0),
        int(fraction.ljust(6, "0")[:6]) if fraction else 0,
    )
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        moment = moment - offset if sign == "+" else moment + offset
    return moment


def _zone(tz_name: str) -> tzinfo:
    if tz_name == "UTC":
        return timezone.utc  # needs no time zone database
    try:
        return ZoneInfo(tz_name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, a directory
        raise BillingError(
            "invalid_timezone", "unknown time zone; use an IANA name", "tz"
        ) from None


def _to_utc(aware: datetime) -> datetime:
    return aware.astimezone(timezone.utc).replace(tzinfo=None)


def _to_local(instant: datetime, zone: tzinfo) -> datetime:
    aware = instant.replace(tzinfo=timezone.utc).astimezone(zone)
    return aware.replace(tzinfo=None)
