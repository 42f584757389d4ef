"""What a quantity costs: one function, for invoice, preview, catalog and ledger."""

from dataclasses import dataclass
from decimal import Decimal

from ..errors import BillingError
from .charge_models import CHARGE_MODELS, Step, Tier, show
from .money import EXACT, format_decimal

_ZERO = Decimal(0)
_ONE = Decimal(1)
_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class PriceTerms:
    """What was agreed: how a charge prices a quantity.

    :param model: key of :data:`~.charge_models.CHARGE_MODELS`
    :param included: quantity free of charge in each window, >= 0
    :param unit_price: for each batch, in the charge's currency, >= 0; of no use to
        models with tiers
    :param unit_batch: how many units a price is for, > 0
    :param tiers: of models that have them: ascending, the last without end
    :param minimum: what a window costs at least, in the charge's currency, >= 0
    :raises BillingError: ``invalid_price_terms``, with the field
    """

    model: str
    included: Decimal
    unit_price: Decimal
    unit_batch: Decimal
    tiers: tuple[Tier, ...] = ()
    minimum: Decimal = _ZERO

    def __post_init__(self):
        if self.model not in CHARGE_MODELS:
            raise _invalid("model", f"one of {', '.join(CHARGE_MODELS)}")
        if not (self.included.is_finite() and self.included >= 0):
            raise _invalid("included", "0 or more")
        if not (self.unit_price.is_finite() and self.unit_price >= 0):
            raise _invalid("unit_price", "0 or more")
        if not (self.unit_batch.is_finite() and self.unit_batch > 0):
            raise _invalid("unit_batch", "more than 0")
        if not (self.minimum.is_finite() and self.minimum >= 0):
            raise _invalid("minimum", "0 or more")
        self._check_tiers()

    def _check_tiers(self):
        if bool(self.tiers) != CHARGE_MODELS[self.model].has_tiers:
            raise _invalid("tiers", "given for models that have tiers, only")
        bounds = [tier.up_to for tier in self.tiers]
        if bounds and (bounds[-1] is not None or None in bounds[:-1]):
            raise _invalid("tiers", "without end in the last one, and only there")
        ends = bounds[:-1]
        prices = [n for tier in self.tiers for n in (tier.unit_price, tier.flat_fee)]
        if not all(number.is_finite() and number >= 0 for number in prices):
            raise _invalid("tiers", "priced at 0 or more")
        if not all(
            end.is_finite() and start < end
            for start, end in zip([_ZERO, *ends], ends, strict=False)
        ):
            raise _invalid("tiers", "in ascending order")

    def as_dict(self) -> dict:
        """What is kept of an agreed price: JSON-able, numbers as decimal text."""
        return {
            "model": self.model,
            "quota": format_decimal(self.included),
            "unit_price": format_decimal(self.unit_price),
            "unit_batch": format_decimal(self.unit_batch),
            **({"tiers": [t.as_dict() for t in self.tiers]} if self.tiers else {}),
            **({"minimum": format_decimal(self.minimum)} if self.minimum else {}),
        }

    @classmethod
    def from_dict(cls, kept: dict) -> "PriceTerms":
        """The terms that :meth:`as_dict` has kept."""
        return cls(
            model=kept["model"],
            included=Decimal(kept["quota"]),
            unit_price=Decimal(kept["unit_price"]),
            unit_batch=Decimal(kept["unit_batch"]),
            tiers=tuple(map(Tier.from_dict, kept.get("tiers", ()))),
            minimum=Decimal(kept.get("minimum", 0)),
        )


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
            **self.terms.as_dict(),
            "quantity": show(self.quantity),
            "included": show(self.included),
            "billable": show(self.billable),
            "amount": show(self.amount),
            "steps": [step.as_dict() for step in self.steps],
        }


def price(terms: PriceTerms, quantity: Decimal, discount: Decimal = _ZERO) -> Price:
    """Price the quantity of one window.

    The order of the stages is part of the agreement:

    1. quota: free units are units, so they go off before anything turns units
       into batches or money (101 units with 100 free are 1 unit, not 2 batches);
    2. charge model: billable units into steps of money;
    3. discount: a percent of what the model came to;
    4. minimum: what is missing to it is a step of its own, also without usage. After
       the discount, as it is what the window costs at least; before conversion and
       rounding, as it is in the charge's currency;
    5. total: the sum of the steps. Not rounded here, see :class:`Price`.

    :param quantity: aggregated usage of the window, >= 0
    :param discount: in percent, up to 100; below zero: a surcharge
    :raises BillingError: ``invalid_quantity``, ``invalid_discount``
    """
    if not (quantity.is_finite() and quantity >= 0):
        raise BillingError("invalid_quantity", "invalid quantity", "quantity")
    if not (discount.is_finite() and discount <= 100):
        raise BillingError("invalid_discount", "invalid discount", "discount")
    included = min(quantity, terms.included)
    billable = EXACT.subtract(quantity, included)
    steps = CHARGE_MODELS[terms.model].steps(terms, billable) if billable else ()
    amount = _ZERO
    for step in steps:
        amount = EXACT.add(amount, step.amount)
    if amount and discount:
        off = EXACT.divide(EXACT.multiply(amount, discount), _HUNDRED)
        label = f"discount {format_decimal(discount)} %"
        taken = Step(label, -discount / _HUNDRED, amount, -off, kind="discount")
        steps = (*steps, taken)
        amount = EXACT.subtract(amount, off)
    if amount < terms.minimum:
        missing = EXACT.subtract(terms.minimum, amount)
        steps = (*steps, Step("minimum", _ONE, missing, missing, kind="minimum"))
        amount = terms.minimum
    return Price(terms, quantity, included, billable, amount, steps)


def _invalid(field, rule):
    return BillingError("invalid_price_terms", f"{field} must be {rule}", field)
