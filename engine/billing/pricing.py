"""What a quantity costs: one function, for invoice, preview, catalog and ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal

from ..errors import BillingError
from .money import EXACT, format_decimal

_ZERO = Decimal(0)
_ONE = Decimal(1)
_HUNDRED = Decimal(100)
TIERED = ("graduated", "volume")
# A third of a price has no end; explanations show this many digits of it.
_SHOWN = Context(prec=28)


@dataclass(frozen=True)
class Tier:
    """A range of billable units with a price of its own.

    :param up_to: the last unit of it; None: without end
    :param unit_price: for each batch, in the charge's currency, >= 0
    :param flat_fee: once, as soon as a unit lies in it, >= 0
    """

    up_to: Decimal | None
    unit_price: Decimal
    flat_fee: Decimal = _ZERO

    def as_dict(self) -> dict:
        """JSON-able, numbers as decimal text."""
        return {
            "up_to": None if self.up_to is None else format_decimal(self.up_to),
            "unit_price": format_decimal(self.unit_price),
            "flat_fee": format_decimal(self.flat_fee),
        }

    @classmethod
    def from_dict(cls, values: dict) -> "Tier":
        up_to = values["up_to"]
        return cls(
            None if up_to is None else Decimal(up_to),
            Decimal(values["unit_price"]),
            Decimal(values["flat_fee"]),
        )


@dataclass(frozen=True)
class PriceTerms:
    """What was agreed: how a charge prices a quantity.

    :param model: key of :data:`CHARGE_MODELS`
    :param included: quantity free of charge in each window, >= 0
    :param unit_price: for each batch, in the charge's currency, >= 0; of no use to
        models with tiers
    :param unit_batch: how many units a price is for, > 0
    :param tiers: of ``graduated`` and ``volume``: ascending, the last without end
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
        if bool(self.tiers) != (self.model in TIERED):
            raise _invalid("tiers", "given for graduated and volume prices, only")
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
class Step:
    """One line of the arithmetic: quantity x unit price = amount, not rounded.

    :param quantity: batches, or 1 for a fee
    :param tier: number of the tier it is of, from 1; 0: of none
    :param units: the units priced by the tier; None: a fee, or of no tier
    """

    label: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    tier: int = 0
    units: Decimal | None = None

    def as_dict(self) -> dict:
        """JSON-able, numbers as decimal text."""
        return {
            "label": self.label,
            "quantity": _show(self.quantity),
            "unit_price": _show(self.unit_price),
            "amount": _show(self.amount),
            **({"tier": self.tier} if self.tier else {}),
            **({} if self.units is None else {"units": _show(self.units)}),
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
            **self.terms.as_dict(),
            "quantity": _show(self.quantity),
            "included": _show(self.included),
            "billable": _show(self.billable),
            "amount": _show(self.amount),
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
    steps = CHARGE_MODELS[terms.model](terms, billable) if billable else ()
    amount = _ZERO
    for step in steps:
        amount = EXACT.add(amount, step.amount)
    if amount and discount:
        off = EXACT.divide(EXACT.multiply(amount, discount), _HUNDRED)
        label = f"discount {format_decimal(discount)} %"
        steps = (*steps, Step(label, -discount / _HUNDRED, amount, -off))
        amount = EXACT.subtract(amount, off)
    if amount < terms.minimum:
        missing = EXACT.subtract(terms.minimum, amount)
        steps = (*steps, Step("minimum", _ONE, missing, missing))
        amount = terms.minimum
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


def _graduated(terms, billable):
    steps, below = [], _ZERO
    for number, tier in enumerate(terms.tiers, 1):
        bound = billable if tier.up_to is None else min(tier.up_to, billable)
        part = EXACT.subtract(bound, below)
        steps += _tier_steps(terms, number, tier, part)
        if bound == billable:
            break
        below = bound
    return tuple(steps)


def _volume(terms, billable):
    for number, tier in enumerate(terms.tiers, 1):
        if tier.up_to is None or billable <= tier.up_to:
            return tuple(_tier_steps(terms, number, tier, billable))
    raise AssertionError("the last tier has no end")


def _tier_steps(terms, number, tier, quantity):
    amount = EXACT.divide(EXACT.multiply(quantity, tier.unit_price), terms.unit_batch)
    batches = EXACT.divide(quantity, terms.unit_batch)
    label = f"tier {number}"
    if terms.unit_batch != _ONE:
        label += f", per {_show(terms.unit_batch)}"
    yield Step(label, batches, tier.unit_price, amount, number, quantity)
    if tier.flat_fee:
        label = f"tier {number}, flat fee"
        yield Step(label, _ONE, tier.flat_fee, tier.flat_fee, number)


# Charge model -> its second stage: (terms, billable > 0) -> steps.
CHARGE_MODELS: dict[str, Callable[[PriceTerms, Decimal], tuple[Step, ...]]] = {
    "standard": _standard,
    "package": _package,
    "graduated": _graduated,
    "volume": _volume,
}


def _batch_label(terms):
    if terms.unit_batch == _ONE:
        return terms.model
    return f"{terms.model}, per {_show(terms.unit_batch)}"


def _show(number):
    return format_decimal(_SHOWN.plus(number))


def _invalid(field, rule):
    return BillingError("invalid_price_terms", f"{field} must be {rule}", field)
