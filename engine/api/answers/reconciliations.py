from dataclasses import dataclass
from typing import Annotated, Literal

from ...shape import Amount, Answer, Currency, Id, Instant, Number, Shape

_Used = Annotated[Number, "What was used."]
_EVENTS = "How many events."
_AMOUNT = "In the subscription's currency."


@dataclass(frozen=True)
class Totals(Shape):
    quantity: _Used
    count: Annotated[int, _EVENTS]
    amount: Annotated[Amount, _AMOUNT]


@dataclass(frozen=True)
class DeclaredTotals(Shape):
    """Null is what was not declared, and so is not compared."""

    quantity: _Used
    count: Annotated[int | None, _EVENTS]
    amount: Annotated[Amount | None, _AMOUNT]


@dataclass(frozen=True)
class Reconciliation(Answer):
    reconciliation_id: Id
    state: Annotated[
        Literal["matched", "mismatch", "explained"],
        "`explained`: a mismatch that finance has closed.",
    ]
    complete: Annotated[bool, "You said that you have sent everything."]
    currency: Currency
    declared: Annotated[DeclaredTotals, "What you declared."]
    ours: Annotated[Totals, "What we hold."]
    difference: Annotated[DeclaredTotals, "Declared less ours."]
    compared_at: Annotated[
        Instant,
        "When `ours` was true: now, but for one that is `explained` and was sent again"
        " unchanged.",
    ]
