"""What a quantity costs: one function, for invoice, preview, catalog and ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal

from .errors import BillingError
from .money import EXACT, format_decimal

_ZERO = Decimal(0)
_ONE = Decimal(1)
# A third of a price has no end; explanations show this many digits of it.
_SHOWN = Context(prec=28)


@dataclass(frozen=True)
class PriceTerms:
    """What was agreed: how a charge prices a quantity.

    :param model: key of :data:`CHARGE_MODELS`
    :param included: quantity free of charge in each window, >= 0
    :param unit_price: for each batch, in the charge's currency, >= 0
    :param unit_batch: how many units the price is for, > 0
    :raises BillingError: ``invalid_price_terms``, with the field
    """

    model: str
    included: Decimal
    unit_price: Decimal
    unit_batch: Decimal

    def __post_init__(self):
        if self.model not in CHARGE_MODELS:
            raise _invalid("model", f"one of {', '.join(CHARGE_MODELS)}")
        if not (self.included.is_finite() and self.included >= 0):
            raise _invalid("included", "0 or more")
        if not (self.unit_price.is_finite() and self.unit_price >= 0):
            raise _invalid("unit_price", "0 or more")
        if not (self.unit_batch.is_finite() and self.unit_batch > 0):
            raise _invalid("unit_batch", "more than 0")

    @classmethod
    def from_dict(cls, explanation: dict) -> "PriceTerms":
        """The terms a kept explanation (:meth:`Price.as_dict`) was made with."""
        return cls(
            model=explanation["model"],
            included=Decimal(explanation["quota"]),
            unit_price=Decimal(explanation["unit_price"]),
            unit_batch=Decimal(explanation["unit_batch"]),
        )


@dataclass(frozen=True)
class Step:
    """One line of the arithmetic: quantity x unit price = amount, not rounded."""

    label: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal

    def as_dict(self) -> dict:
        """JSON-able, numbers as decimal text."""
        return {
            "label": self.label,
            "quantity": _show(self.quantity),
            "unit_price": _show(self.unit_price),
            "amount": _show(self.amount),
        }


@dataclass(frozen=True)
class Price:
    """A priced quantity and how it came about.

    :param included: the part of the quantity that the quota covers
    :param billable: the rest; ``included + billable == quantity``
    :param amount: in the charge's currency, NOT rounded: conversion may follow,
        and rounding twice would bill a cent too much
    """

    terms: PriceTerms
    quantity: Decimal
    included: Decimal
    billable: Decimal
    amount: Decimal
    steps: tuple[Step, ...]

    def as_dict(self) -> dict:
        """The explanation that is kept with a rating: JSON-able, decimal text."""
        return {
            "model": self.terms.model,
            "quantity": _show(self.quantity),
            "included": _show(self.included),
            "billable": _show(self.billable),
            "quota": _show(self.terms.included),
            "unit_price": _show(self.terms.unit_price),
            "unit_batch": _show(self.terms.unit_batch),
            "amount": _show(self.amount),
            "steps": [step.as_dict() for step in self.steps],
        }


def price(terms: PriceTerms, quantity: Decimal) -> Price:
    """Price the quantity of one window.

    The order of the stages is part of the agreement:

    1. quota: free units are units, so they go off before anything turns units
       into batches or money (101 units with 100 free are 1 unit, not 2 batches);
    2. charge model: billable units into steps of money;
    3. total: the sum of the steps. Not rounded here, see :class:`Price`.

    :param quantity: aggregated usage of the window, >= 0
    :raises BillingError: ``invalid_quantity``
    """
    if not (quantity.is_finite() and quantity >= 0):
        raise BillingError("invalid_quantity", "invalid quantity", "quantity")
    included = min(quantity, terms.included)
    billable = EXACT.subtract(quantity, included)
    steps = CHARGE_MODELS[terms.model](terms, billable) if billable else ()
    amount = _ZERO
    for step in steps:
        amount = EXACT.add(amount, step.amount)
    return Price(terms, quantity, included, billable, amount, steps)


def _standard(terms, billable):
    # Multiplied before it is divided: a third of a batch at 3.00 is 1.00 exactly.
    amount = EXACT.divide(EXACT.multiply(billable, terms.unit_price), terms.unit_batch)
    batches = EXACT.divide(billable, terms.unit_batch)
    return (Step(_batch_label(terms), batches, terms.unit_price, amount),)


def _package(terms, billable):
    batches = EXACT.divide(billable, terms.unit_batch).to_integral_value(ROUND_CEILING)
    amount = EXACT.multiply(batches, terms.unit_price)
    return (Step(_batch_label(terms), batches, terms.unit_price, amount),)


# Charge model -> its second stage: (terms, billable > 0) -> steps.
CHARGE_MODELS: dict[str, Callable[[PriceTerms, Decimal], tuple[Step, ...]]] = {
    "standard": _standard,
    "package": _package,
}


def _batch_label(terms):
    if terms.unit_batch == _ONE:
        return terms.model
    return f"{terms.model}, per {_show(terms.unit_batch)}"


def _show(number):
    return format_decimal(_SHOWN.plus(number))


def _invalid(field, rule):
    return BillingError("invalid_price_terms", f"{field} must be {rule}", field)
