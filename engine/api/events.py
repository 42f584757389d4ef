"""Decoding requests and parsing usage events, strictly and without floats."""

import hashlib
import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from ..billing.money import format_decimal
from ..billing.periods import parse_timestamp
from ..billing.quantity import parse_quantity
from ..errors import BillingError, TooManyValues
from ..shape import MAX_ID
from .reference import Reference, order_id

# Requests of the API need four levels.
MAX_DEPTH = 16
MAX_INTEGER_DIGITS = 4300
MAX_VALUES = 10_000
MAX_TEXT = 255

REQUIRED = (
    "subscription_external_id",
    "metric_code",
    "quantity",
    "period_start",
    "period_end",
)

# All that an event can say.
EVENT_KEYS = (
    *("subscription_external_id", "subscription_id", "metric_code", "quantity"),
    *("period_start", "period_end", "idempotency_key", "unique_key"),
)
_KNOWN = frozenset(EVENT_KEYS)
# A longer name that nobody knows is not repeated: it can be a key of an app.
MAX_NAME = 40

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# PostgreSQL refuses NUL and half a surrogate pair; other control characters (C0,
# DEL, C1) have no business in an identifier and forge lines in logs.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# What check_text takes, for JSON Schema: nothing forbidden, and not only spaces.
CONTROL = r"\u0000-\u001f\u007f-\u009f"
TEXT_PATTERN = rf"[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*"


class UsageEvent(NamedTuple):
    """A well-formed usage event. Whether what it names exists is not known here."""

    subscription_ref: Reference
    metric_code: str
    quantity: Decimal
    period_start: datetime  # naive UTC
    period_end: datetime  # naive UTC
    idempotency_key: str | None
    unique_key: str | None
    fingerprint: str


def decode_json(raw: bytes, max_values: int = MAX_VALUES) -> object:
    """Decode a request body, as RFC 8259 has it and no more.

    Numbers with a point or exponent become Decimal. Refused beyond bad grammar:
    other encodings than UTF-8, a byte order mark, a key twice in an object (which
    of the two counts would be a guess), NaN and infinities, integers over 4300
    digits, exponents beyond Decimal's, and nesting over 16 levels (32 where lists
    and objects alternate). Half a surrogate pair (``"\\ud800"``) is grammar;
    :func:`check_text` refuses it where it stands, so that it costs its own event
    only.

    :param max_values: how many values it may have, in objects, lists and the like:
        eight megabytes of them would become over two hundred when decoded
    :raises BillingError: ``invalid_json``
    :raises TooManyValues: before any of them is decoded
    """
    try:
        _check_shape(raw, max_values)
        return json.loads(
            raw.decode("utf-8"),
            parse_int=_parse_int,
            parse_float=_parse_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
    except BillingError:
        raise
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _no_json(f"{where}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise _no_json(f"byte {error.start} is not UTF-8") from None


def check_text(value: object, field: str, code: str, max_length: int = MAX_TEXT) -> str:
    """Return ``value`` if it can serve as an identifier or short text.

    :raises BillingError: with this code and field: no text, blank, too long, or
        with control characters, NUL or half a surrogate pair
    """
    if (
        isinstance(value, str)
        and len(value) <= max_length
        and not _FORBIDDEN.search(value)
        and value.strip()
    ):
        return value
    raise BillingError(code, f"invalid {field}", field)


def check_keys(content: dict, known: frozenset[str], path: str = "") -> None:
    """Refuse an object with a key that is not known.

    A misspelt one would else be ignored: ``"atmoic": true`` stored half a batch.

    :param path: where the object stands in the body, as ``lines[0].``
    :raises BillingError: ``unknown_field``, with the path of the first such key
    """
    if known.issuperset(content):
        return
    name = next(key for key in content if key not in known)
    is_showable = len(name) <= MAX_NAME and name and not _FORBIDDEN.search(name)
    raise BillingError(
        "unknown_field",
        f"unknown key; known are: {', '.join(sorted(known)) or 'none'}",
        f"{path}{name}" if is_showable else path.rstrip(".") or None,
    )


def content_fingerprint(
    quantity: Decimal,
    period_start: datetime,
    period_end: datetime,
    unique_key: str | None,
) -> str:
    """Return 32 hex digits that tell whether two events say the same.

    Made of values, not of their spelling: 5 and "5.0", or one instant in two time
    zones, are the same content.

    :param quantity: as :func:`~.quantity.parse_quantity` returns it
    """
    content = (
        f"{format_decimal(quantity)}|{period_start.isoformat()}"
        f"|{period_end.isoformat()}|"
    )
    if unique_key is not None:  # none and an empty one differ
        content += f"={unique_key}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def parse_event(
    event: object,
    now: datetime | None = None,
    tolerance: timedelta | None = None,
) -> UsageEvent:
    """Check one usage event and return its values, or the first thing wrong with it.

    Order of the checks: shape, unknown keys, missing ones (null and an empty text count
    as missing), then each value in the order of :data:`REQUIRED`.

    :param event: as :func:`decode_json` returns it
    :param now: naive UTC; without it, no period is too far ahead
    :param tolerance: how far after ``now`` a period may start
    :raises BillingError: ``invalid_event``, ``unknown_field``, ``missing_field``,
        ``invalid_<key>``, ``invalid_period``, ``period_order`` or ``period_in_future``
    """
    if not isinstance(event, dict):
        raise BillingError("invalid_event", "invalid event")
    check_keys(event, _KNOWN)
    get = event.get
    for key in REQUIRED:
        value = get(key)
        if (value is None or value == "") and not _is_named_by_id(event, key):
            raise BillingError("missing_field", f"missing {key}", key)
    subscription_ref = subscription_reference(event)
    metric_code = check_text(get("metric_code"), "metric_code", "invalid_metric_code")
    quantity = parse_quantity(get("quantity"))
    start = parse_timestamp(get("period_start"), "period_start")
    end = parse_timestamp(get("period_end"), "period_end")
    if end < start:
        raise BillingError(
            "period_order", "period_end before period_start", "period_end"
        )
    # Subtracted, because now + tolerance can leave the calendar.
    if now is not None and tolerance is not None and start - now > tolerance:
        raise BillingError(
            "period_in_future", "period_start too far in the future", "period_start"
        )
    idempotency_key = _optional_key(event, "idempotency_key")
    unique_key = _optional_key(event, "unique_key")
    return UsageEvent(
        subscription_ref,
        metric_code,
        quantity,
        start,
        end,
        idempotency_key,
        unique_key,
        content_fingerprint(quantity, start, end, unique_key),
    )


def subscription_reference(content: dict) -> Reference:
    """Return what an event, or another content, names its subscription by.

    :param content: with ``subscription_external_id``, what the app calls it, text or a
        number; with ``subscription_id``, Odoo's id of it; or with both
    :raises BillingError: ``missing_field``, ``invalid_subscription_external_id``,
        ``invalid_subscription_id``
    """
    name = content.get("subscription_external_id")
    if _is_named_by_id(content, "subscription_external_id"):
        number = order_id(content["subscription_id"])
        return number if name is None or name == "" else (_own_name(name), number)
    if name is None or name == "":
        key = "subscription_external_id"
        raise BillingError("missing_field", f"missing {key}", key)
    return _own_name(name)


def _is_named_by_id(content, key):
    """Whether this key may be missing because Odoo's id is there."""
    if key != "subscription_external_id":
        return False
    number = content.get("subscription_id")
    return number is not None and number != ""


def _own_name(value):
    """What the app calls a subscription; 80 and "80" are one name."""
    if type(value) is int and 0 < value <= MAX_ID:  # a bool is an int, but no id
        return str(value)
    return check_text(
        value, "subscription_external_id", "invalid_subscription_external_id"
    )


def _optional_key(event, field):
    value = event.get(field)
    if value is None:
        return None
    return check_text(value, field, f"invalid_{field}")


def _check_shape(raw, max_values):
    """Refuse what is nested too deeply for the parser, which is recursive, or has too
    many values for our memory.

    With escapes and strings out of the way only brackets and commas are left; each
    round takes off the innermost pairs, one level or, where they alternate, two. What
    does not vanish is too deep; or, when there is little of it, no JSON, and the parser
    says where.
    """
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    # An object's member has a key and at most one text: four quotes.
    if bare.count(b'"') > 4 * max_values:
        raise TooManyValues(bare.count(b"{"))
    bare = b"".join(bare.split(b'"')[::2])
    left = _without_pairs(bare.translate(None, _NOT_BRACKETS))
    # What would vanish, too, is well-formed.
    if left and (len(left) > MAX_DEPTH or not _without_pairs(left)):
        raise _no_json("nested too deeply, or brackets without their counterparts")
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > max_values:
        raise TooManyValues(bare.count(b"{"))


def _without_pairs(brackets):
    for _round in range(MAX_DEPTH):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return brackets


def _parse_int(digits):
    if len(digits) > MAX_INTEGER_DIGITS:  # converting takes quadratic time
        raise _no_json(f"an integer of over {MAX_INTEGER_DIGITS} digits")
    return int(digits)


def _parse_float(text):
    try:
        return Decimal(text)
    except ArithmeticError:
        raise _no_json("a number with an exponent beyond all reason") from None


def _refuse_constant(name):
    raise _no_json(f"{name} is not JSON")


def _unique_keys(pairs):
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise _no_json("a key is given twice in one object")
    return unique


def _no_json(reason):
    return BillingError("invalid_json", f"invalid payload: {reason}")
