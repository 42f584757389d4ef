"""Python values as the API reads them. Nothing becomes a float on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import quote

Number = Decimal | int | str
Instant = datetime | str

_MAX_DIGITS = 40  # the API takes 16 digits before the point and 10 after it


def decimal_text(value: Number, name: str) -> str:
    """A quantity or an amount as plain decimal text.

    A float is refused: 0.1 is not 0.1 in one, and nobody knows how many of its digits
    were meant. Write ``Decimal("0.1")``, or round first.

    :raises TypeError: a float, a bool or another type
    :raises ValueError: no finite number
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise TypeError(
            f"{name} must be Decimal, int or str, not {type(value).__name__}"
        )
    if isinstance(value, str):
        return value  # read by the server, exactly as it stands
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > _MAX_DIGITS:
        raise ValueError(f"{name} is out of range")
    return format(number, "f")


def instant_text(value: Instant, name: str) -> str:
    """A moment as ISO 8601 in UTC; text goes through as it stands.

    :raises ValueError: a datetime without a time zone; which one was meant decides
        the window it is billed in
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):
        raise TypeError(f"{name} must be a datetime or str, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(f"{name} needs a time zone, such as datetime.timezone.utc")
    moment = value.astimezone(timezone.utc).replace(tzinfo=None)
    return f"{moment.isoformat()}Z"


def day_text(value: date | str) -> str:
    """A day as YYYY-MM-DD; text goes through as it stands.

    :raises TypeError: a datetime, whose day depends on a time zone
    """
    if isinstance(value, datetime):
        raise TypeError("a day must be a date or str, not a datetime")
    return value if isinstance(value, str) else value.isoformat()


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """A body as strict JSON in UTF-8.

    :raises ValueError: NaN, or text with half a surrogate pair
    """
    text = json.dumps(
        content, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode()


def path(*parts: str | int) -> str:
    """A path of these parts, each percent-encoded as a whole.

    :raises ValueError: a part that no URL can carry: empty, "." or ".."
    """
    texts = [str(part) for part in parts]
    if not all(text.strip(".") or len(text) > 2 for text in texts):
        raise ValueError("an id cannot be empty, '.' or '..'")
    return "".join(f"/{quote(text, safe='')}" for text in texts)
