"""The charge models: how a billable quantity becomes steps of money.

Each is one object in :data:`CHARGE_MODELS`: its arithmetic, its label and its help. See
docs/extend/charge-model.md for how another module adds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import TYPE_CHECKING

from .money import EXACT, format_decimal

if TYPE_CHECKING:
    from .pricing import PriceTerms

_ZERO = Decimal(0)
_ONE = Decimal(1)
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
    def from_dict(cls, values: dict) -> Tier:
        up_to = values["up_to"]
        return cls(
            None if up_to is None else Decimal(up_to),
            Decimal(values["unit_price"]),
            Decimal(values["flat_fee"]),
        )


@dataclass(frozen=True)
class Step:
    """One line of the arithmetic: quantity x unit price = amount, not rounded.

    :param quantity: batches, or 1 for a fee
    :param tier: number of the tier it is of, from 1; 0: of none
    :param units: the units priced by the tier; None: a fee, or of no tier
    :param kind: "usage", or what it is beside that: "fee", "discount", "minimum"
    """

    label: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    tier: int = 0
    units: Decimal | None = None
    kind: str = "usage"

    def as_dict(self) -> dict:
        """JSON-able, numbers as decimal text."""
        return {
            "label": self.label,
            "quantity": show(self.quantity),
            "unit_price": show(self.unit_price),
            "amount": show(self.amount),
            **({"tier": self.tier} if self.tier else {}),
            **({} if self.units is None else {"units": show(self.units)}),
        }


@dataclass(frozen=True)
class ChargeModel:
    """One way to price what is above the quota.

    :param name: what the database and the API call it
    :param label: what people read; ``help``: one sentence for them
    :param steps: (terms, billable > 0) -> the steps that the amount is the sum of
    :param has_tiers: it is priced by tiers, and not by one price for each batch
    """

    name: str
    label: str
    help: str
    steps: Callable[[PriceTerms, Decimal], Iterable[Step]]
    has_tiers: bool = False


def _standard(terms: PriceTerms, billable: Decimal) -> tuple[Step, ...]:
    # Multiplied before it is divided: a third of a batch at 3.00 is 1.00 exactly.
    amount = EXACT.divide(EXACT.multiply(billable, terms.unit_price), terms.unit_batch)
    batches = EXACT.divide(billable, terms.unit_batch)
    return (Step(_batch_label(terms), batches, terms.unit_price, amount),)


def _package(terms: PriceTerms, billable: Decimal) -> tuple[Step, ...]:
    batches = EXACT.divide(billable, terms.unit_batch).to_integral_value(ROUND_CEILING)
    amount = EXACT.multiply(batches, terms.unit_price)
    return (Step(_batch_label(terms), batches, terms.unit_price, amount),)


def _graduated(terms: PriceTerms, billable: Decimal) -> tuple[Step, ...]:
    steps: list[Step] = []
    below = _ZERO
    for number, tier in enumerate(terms.tiers, 1):
        bound = billable if tier.up_to is None else min(tier.up_to, billable)
        part = EXACT.subtract(bound, below)
        steps += _tier_steps(terms, number, tier, part)
        if bound == billable:
            break
        below = bound
    return tuple(steps)


def _volume(terms: PriceTerms, billable: Decimal) -> tuple[Step, ...]:
    for number, tier in enumerate(terms.tiers, 1):
        if tier.up_to is None or billable <= tier.up_to:
            return tuple(_tier_steps(terms, number, tier, billable))
    raise AssertionError("the last tier has no end")


def _tier_steps(terms, number, tier, quantity):
    amount = EXACT.divide(EXACT.multiply(quantity, tier.unit_price), terms.unit_batch)
    batches = EXACT.divide(quantity, terms.unit_batch)
    label = f"tier {number}"
    if terms.unit_batch != _ONE:
        label += f", per {show(terms.unit_batch)}"
    yield Step(label, batches, tier.unit_price, amount, number, quantity)
    if tier.flat_fee:
        label = f"tier {number}, flat fee"
        yield Step(label, _ONE, tier.flat_fee, tier.flat_fee, number, kind="fee")


def _batch_label(terms):
    if terms.unit_batch == _ONE:
        return terms.model
    return f"{terms.model}, per {show(terms.unit_batch)}"


def show(number: Decimal) -> str:
    """A number as explanations have it."""
    return format_decimal(_SHOWN.plus(number))


CHARGE_MODELS: dict[str, ChargeModel] = {
    model.name: model
    for model in (
        ChargeModel(
            "standard",
            "Standard",
            "Every unit above the quota is charged in proportion.",
            _standard,
        ),
        ChargeModel(
            "package",
            "Package",
            "Only whole batches are charged; a started batch counts as full.",
            _package,
        ),
        ChargeModel(
            "graduated",
            "Graduated",
            "Each unit has the price of its own tier.",
            _graduated,
            has_tiers=True,
        ),
        ChargeModel(
            "volume",
            "Volume",
            "All units have the price of the tier that the last unit reaches.",
            _volume,
            has_tiers=True,
        ),
    )
}


def register(model: ChargeModel) -> None:
    """Add a charge model; see docs/extend/charge-model.md."""
    CHARGE_MODELS[model.name] = model


def tiered() -> tuple[str, ...]:
    """The names of the models that have tiers."""
    return tuple(name for name, model in CHARGE_MODELS.items() if model.has_tiers)
