"""Quantities, prices, rounding, and what finance has charged otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

CENT = Fraction(1, 100)
ZERO = Fraction(0)


@dataclass(frozen=True)
class Terms:
    """An agreed price.

    :param tiers: (up to which unit, or None; price; flat fee), the lowest first
    """

    model: str
    price: Fraction = ZERO
    quota: Fraction = ZERO
    batch: Fraction = Fraction(1)
    minimum: Fraction = ZERO
    tiers: tuple[tuple[Fraction | None, Fraction, Fraction], ...] = ()


class Quantity:
    """The quantity of a window, event by event in their order.

    :param kind: sum, count, max, last or unique
    """

    def __init__(self, kind: str) -> None:
        self.kind, self.value = kind, ZERO
        self.keys: set[str] = set()

    def add(self, quantity: Fraction, unique_key: str | None = None) -> None:
        if self.kind == "sum":
            self.value += quantity
        elif self.kind == "count":
            self.value += 1
        elif self.kind == "max":
            self.value = max(self.value, quantity)
        elif self.kind == "last":
            self.value = quantity
        elif unique_key is not None:
            self.keys.add(unique_key)
            self.value = Fraction(len(self.keys))


def total(kind: str, events: Iterable[tuple[Fraction, str | None]]) -> Fraction:
    """The quantity that (quantity, unique key) pairs come to."""
    quantity = Quantity(kind)
    for event in events:
        quantity.add(*event)
    return quantity.value


def cost(terms: Terms, quantity: Fraction, discount: Fraction = ZERO) -> Fraction:
    """What a quantity costs, not rounded, in the charge's currency.

    :param discount: in percent; the minimum comes after it
    """
    billable = max(ZERO, quantity - terms.quota)
    amount = _MODELS[terms.model](terms, billable) if billable else ZERO
    return max(amount - amount * discount / 100, terms.minimum)


def _standard(terms: Terms, billable: Fraction) -> Fraction:
    return billable * terms.price / terms.batch


def _package(terms: Terms, billable: Fraction) -> Fraction:
    return -(-billable // terms.batch) * terms.price


def _graduated(terms: Terms, billable: Fraction) -> Fraction:
    amount, below = ZERO, ZERO
    for up_to, price, fee in terms.tiers:
        if billable > below:
            top = billable if up_to is None else min(up_to, billable)
            amount += (top - below) * price / terms.batch + fee
            below = top
    return amount


def _volume(terms: Terms, billable: Fraction) -> Fraction:
    price, fee = next(
        (price, fee)
        for up_to, price, fee in terms.tiers
        if up_to is None or billable <= up_to
    )
    return billable * price / terms.batch + fee


_MODELS = {
    "standard": _standard,
    "package": _package,
    "graduated": _graduated,
    "volume": _volume,
}


def rounded(amount: Fraction, step: Fraction = CENT) -> Fraction:
    """To a multiple of the step, half away from zero."""
    units = abs(amount) / step
    whole = (2 * units + 1) // 2
    return whole * step if amount >= 0 else -whole * step


def charged(
    amount: Fraction,
    decisions: Iterable[tuple[Fraction, Fraction]],
    step: Fraction = CENT,
) -> Fraction:
    """What a window is to be charged, after what finance has charged otherwise.

    :param amount: what it comes to now
    :param decisions: (what it came to then, how much was forgiven; below zero: added),
        in the order of posting; each works on the outcome of those before
    """
    seen: list[tuple[Fraction, Fraction]] = []
    for rated, forgiven in decisions:
        for earlier in seen:
            rated = _after(rated, *earlier, step)
        seen.append((rated, forgiven))
        amount = _after(amount, rated, forgiven, step)
    return amount


def _after(
    amount: Fraction, rated: Fraction, forgiven: Fraction, step: Fraction
) -> Fraction:
    if amount >= rated:
        return amount - forgiven
    if forgiven >= 0:
        return min(rated - forgiven, amount)
    return rounded(amount * (rated - forgiven) / rated, step)
