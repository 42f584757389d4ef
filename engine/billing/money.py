"""Exact decimals, and the one place where amounts are rounded."""

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

# Wide enough that products of a quantity (26 digits), a price and a conversion
# rate (17 digits each) stay exact, so that rounding happens once, at the end.
# The default context would cut at 28 digits, and code outside can change it.
EXACT = Context(prec=100, rounding=ROUND_HALF_UP)
# A third has no end: three of them, or one converted at a rate of 3, are a whole less
# the last digit, and half a cent would be rounded down. Nothing that differs from
# half a cent in truth comes that close to it.
_WITHOUT_LAST_DIGITS = Context(prec=90, rounding=ROUND_HALF_UP)


def to_decimal(value: int | str | Decimal | float) -> Decimal:
    """Return ``value`` as a finite Decimal.

    A float becomes the decimal it prints as: 0.1 is 0.1, not
    0.1000000000000000055511151231257827.

    :raises ValueError: not a number, or not finite
    """
    if isinstance(value, bool):
        raise ValueError("a boolean is not an amount")
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError("not a decimal number") from None
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


def round_amount(amount: Decimal, step: Decimal) -> Decimal:
    """Round half away from zero to a multiple of ``step``.

    :param amount: in the currency of ``step``
    :param step: the currency's smallest unit: 0.01, 1, 0.001, or 0.05 for cash
    :raises ValueError: the step is not positive
    """
    if not step > 0:
        raise ValueError("a rounding step must be positive")
    units = _WITHOUT_LAST_DIGITS.divide(amount, step).to_integral_value(context=EXACT)
    return EXACT.multiply(units, step) if units else step * 0


def format_decimal(value: Decimal) -> str:
    """Plain notation without exponent or trailing zeros: "0.0005", "12", "1000000".

    :param value: finite, of a bounded size (an exponent is written out)
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
