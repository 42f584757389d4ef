"""Quantity, price, and what is left of what finance decided: on plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

CENT = Fraction(1, 100)


@dataclass(frozen=True)
class Terms:
    """What was agreed for one metric. Figures are decimal text."""

    price: str
    quota: str = "0"
    batch: str = "1"
    minimum: str = "0"
    model: str = "standard"  # or "package"
    currency: str = "USD"
    discount: str = "0"  # percent
    rate: Fraction = Fraction(1)  # to the currency of the window

    def but(self, **values) -> Terms:
        return replace(self, **values)


def aggregate(kind: str, quantities: list[str]) -> Fraction:
    """The quantity of a window, of its events in their order."""
    if kind == "count":
        return Fraction(len(quantities))
    numbers = [Fraction(text) for text in quantities]
    return max(numbers, default=Fraction(0)) if kind == "max" else sum(numbers)


def price(terms: Terms, quantity: Fraction) -> Fraction:
    """What a window comes to, rounded once."""
    billable = max(quantity - Fraction(terms.quota), 0)
    units = billable / Fraction(terms.batch)
    if terms.model == "package":
        units = Fraction(-(-units // 1))
    amount = units * Fraction(terms.price) * (1 - Fraction(terms.discount) / 100)
    return rounded(max(amount, Fraction(terms.minimum)) * terms.rate)


def rounded(amount: Fraction) -> Fraction:
    """To the cent, half away from zero."""
    whole = (2 * abs(amount) / CENT + 1) // 2
    return (whole if amount >= 0 else -whole) * CENT


def charged(amount: Fraction, decisions: list[tuple[Fraction, Fraction]]) -> Fraction:
    """What a window is charged that comes to ``amount``, after what finance decided.

    :param decisions: (forgiven, what the window came to on that invoice) each, in the
        order of posting; what was added is below zero
    """
    points = [amount, *(at for _forgiven, at in decisions)]
    for place, (forgiven, _at) in enumerate(decisions, 1):
        # The decision was about the outcome of those before it.
        points = [_after(point, forgiven, points[place]) for point in points]
    return rounded(points[0])


def _after(amount: Fraction, forgiven: Fraction, at: Fraction) -> Fraction:
    if amount >= at:
        return amount - forgiven
    if forgiven >= 0:
        return min(at - forgiven, amount)
    return amount * (at - forgiven) / at
