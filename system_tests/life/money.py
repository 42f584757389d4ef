"""What was agreed for one metric in a life, and what a quantity comes to by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from second_opinion import arithmetic


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


def price(terms: Terms, quantity: Fraction) -> Fraction:
    """What a window comes to, rounded once."""
    agreed = arithmetic.Terms(
        model=terms.model,
        price=Fraction(terms.price),
        quota=Fraction(terms.quota),
        batch=Fraction(terms.batch),
        minimum=Fraction(terms.minimum),
    )
    cost = arithmetic.cost(agreed, quantity, Fraction(terms.discount))
    return arithmetic.rounded(cost * terms.rate)
