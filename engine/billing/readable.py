"""A price as people read it: with no more digits than it takes to recompute it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from .money import EXACT, format_decimal, round_amount
from .pricing import Price, price
from .quantity import DECIMALS
from .rating import Agreement, converted

_FEWEST = 2  # decimals of a quantity that has more than can be read
# Rates are kept as Odoo computes them, in floats: 0.8999999999999999 is 0.9. No amount
# that an invoice can carry has so many digits that it would show.
_RATE = Context(prec=15)


@dataclass(frozen=True)
class Readable:
    """A quantity as it is shown, and its price.

    :param quantity: as shown; ``price`` is the price of it
    :param is_rounded: it has fewer digits than what was used
    :param decimals: so many decimals of the steps' amounts add up to the total
    """

    quantity: Decimal
    is_rounded: bool
    price: Price
    decimals: int


def readable(
    agreement: Agreement, quantity: Decimal, step: Decimal, decimals: int = 2
) -> Readable:
    """Round a quantity, and what it costs, so that the total is still the same.

    Who multiplies what is shown gets the amount that is billed, to the cent. Digits
    that it takes for that are kept.

    :param agreement: with terms
    :param quantity: usage of the window
    :param step: smallest unit of the invoice's currency
    :param decimals: of the price's currency
    """
    exact = price(agreement.terms, quantity, agreement.discount)
    total = round_amount(converted(agreement, exact.amount), step)
    for places in range(_FEWEST, DECIMALS):
        shown = _rounded(quantity, places)
        if shown == quantity:
            break
        priced = price(agreement.terms, shown, agreement.discount)
        if round_amount(converted(agreement, priced.amount), step) == total:
            amounts = [line.amount for line in priced.steps]
            places = _decimals(agreement, amounts, step, decimals, total)
            return Readable(shown, True, priced, places)
    amounts = [line.amount for line in exact.steps]
    places = _decimals(agreement, amounts, step, decimals, total)
    return Readable(quantity, False, exact, places)


def _decimals(agreement, amounts: Sequence[Decimal], step, fewest, total):
    """How many decimals of the amounts of the steps still add up to the total."""
    for places in range(fewest, DECIMALS):
        summed = Decimal(0)
        for amount in amounts:
            summed = EXACT.add(summed, _rounded(amount, places))
        if round_amount(converted(agreement, summed), step) == total:
            return places
    return DECIMALS


def _rounded(number, places):
    return number.quantize(
        Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT
    )


def fixed(number: Decimal, fewest: int, most: int = 28) -> str:
    """Plain notation with so many decimals at least, and at most: "0.50", "0.0005"."""
    text = format_decimal(_rounded(number, most))
    whole, _point, decimals = text.partition(".")
    decimals = decimals.ljust(fewest, "0")
    return f"{whole}.{decimals}" if decimals else whole


def rate_text(rate: Decimal) -> str:
    """An exchange rate without the noise of the float it was computed in."""
    return format_decimal(_RATE.plus(rate))
