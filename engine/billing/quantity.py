"""What counts as a quantity: an exact decimal from 0 up to 1e16."""

import re
from decimal import Decimal

from ..errors import BillingError
from .money import EXACT

# Whole digits and decimals a quantity can have. 16 whole digits hold every 53-bit
# number a source app may count to; together they fit the database column exactly.
WHOLE_DIGITS = 16
DECIMALS = 10
# Written digits, leading and trailing zeros included: bounds the work on a value.
MAX_WRITTEN = 80

_ONE = Decimal(1)
_ZERO = Decimal(0)
# ASCII digits only: \d and Decimal() also take those of other scripts, and
# Decimal() takes underscores, spaces, exponents, "nan" and "inf". The sign is
# there for "-0"; what else is negative is refused by its value.
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# The way nearly all of them are written, within every limit.
_COMMON = re.compile(rf"[0-9]{{1,{WHOLE_DIGITS}}}(?:\.[0-9]{{1,{DECIMALS}}})?")


def parse_quantity(value: object) -> Decimal:
    """Return the quantity exactly, without trailing zeros; -0 is 0.

    :param value: int, Decimal (how JSON numbers are decoded), text in plain
        notation, or, from Python callers only, a float, which counts as it prints
    :raises BillingError: ``invalid_quantity``: any other type, not finite,
        negative, 1e16 or more, or more than 10 decimals
    """
    if type(value) is str and _COMMON.fullmatch(value):
        return Decimal(value.rstrip("0").rstrip(".") if "." in value else value)
    number = _to_number(value)
    if number is not None and number.is_finite():
        if not number:
            return _ZERO
        # The exponent is looked at first: the digits of 1e999999999 must never
        # be written out.
        sign, digits, exponent = number.as_tuple()
        if (
            not sign
            and len(digits) <= MAX_WRITTEN
            and number.adjusted() < WHOLE_DIGITS
            and number.adjusted() >= -DECIMALS
        ):
            if not exponent:
                return number
            number = number.normalize(EXACT)
            exponent = number.as_tuple()[2]
            if exponent > 0:
                return number.quantize(_ONE, context=EXACT)
            if exponent >= -DECIMALS:
                return number
    raise BillingError("invalid_quantity", "invalid quantity", "quantity")


def _to_number(value):
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        # A longer one is not worth converting: that takes quadratic time.
        return Decimal(value) if value.bit_length() <= 64 else None
    if isinstance(value, str):
        if len(value) <= MAX_WRITTEN and _PLAIN.fullmatch(value):
            return Decimal(value)
        return None
    if isinstance(value, float):
        return Decimal(repr(value))
    return None
