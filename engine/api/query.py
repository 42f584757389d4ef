"""Query parameters: read by name, each by one rule, nothing left over.

A misspelt filter that is ignored would answer everything; so it is refused.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from ..billing.periods import parse_date, parse_instant
from ..errors import BillingError
from .cursor import decode_cursor
from .events import MAX_TEXT, TEXT_PATTERN, check_text

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_CURSOR = 64

_WHOLE = re.compile(r"[0-9]{1,9}")

# Takes the name and the text of a parameter; returns its value or raises BillingError.
# Its attribute `accepts` says what it takes as a JSON Schema (dict).
Reader = Callable[[str, str], object]


def _reader(**accepts):
    def mark(read):
        read.accepts = accepts
        return read

    return mark


def read_query(
    given: Iterable[tuple[str, str]], readers: Mapping[str, Reader]
) -> dict[str, object]:
    """Return the values of the parameters that are given.

    :param given: names and texts, in the order of the query string
    :param readers: what the route takes
    :raises BillingError: ``unknown_parameter``, ``invalid_parameter``,
        ``invalid_cursor``
    """
    values = {}
    for name, text in given:
        if name not in readers:
            raise BillingError(
                "unknown_parameter",
                f"unknown query parameter; known are: {', '.join(readers) or 'none'}",
                name if name.isidentifier() and name.isascii() else None,
            )
        if name in values:
            raise _invalid(name)
        values[name] = readers[name](name, text)
    return values


@_reader(type="string", minLength=1, maxLength=MAX_TEXT, pattern=f"^{TEXT_PATTERN}$")
def text(name: str, value: str) -> str:
    return check_text(value, name, "invalid_parameter")


@_reader(type="string", format="date-time")  # one of the spellings it takes
def instant(name: str, value: str) -> datetime:
    """Naive UTC, of any year, as a filter may say "from the beginning".

    The "+" of an offset must come as %2B: unencoded it is a space.
    """
    try:
        return parse_instant(value, name)
    except BillingError:
        raise _invalid(name) from None


@_reader(type="string", format="date")
def day(name: str, value: str) -> date:
    return parse_date(value, name, "invalid_parameter")


def choice(*options: str) -> Reader:
    @_reader(type="string", enum=list(options))
    def read(name, value):
        if value not in options:
            raise BillingError(
                "invalid_parameter", f"{name} is one of {', '.join(options)}", name
            )
        return value

    return read


def whole(lowest: int, highest: int) -> Reader:
    @_reader(type="integer", minimum=lowest, maximum=highest)
    def read(name, value):
        if not _WHOLE.fullmatch(value) or not lowest <= int(value) <= highest:
            raise BillingError(
                "invalid_parameter",
                f"{name} is a whole number from {lowest} to {highest}",
                name,
            )
        return int(value)

    return read


def page(kind: str) -> dict[str, Reader]:
    """The two parameters of a list: ``limit`` and ``cursor`` (an id)."""

    @_reader(type="string", minLength=1, maxLength=MAX_CURSOR)
    def read_cursor(_name, value):
        return decode_cursor(kind, value[: MAX_CURSOR + 1])

    return {"limit": whole(1, MAX_LIMIT), "cursor": read_cursor}


def _invalid(name):
    return BillingError("invalid_parameter", f"invalid {name}", name)
