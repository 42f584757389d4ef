"""The model: which step is possible now, and what follows from it.

`prepare` makes a step of a program concrete, or says that it is not possible now;
`apply` does what a concrete one must do; `refusal` says whether it must be refused.
"""

from __future__ import annotations

from datetime import timedelta

from .document_steps import DocumentSteps
from .life_steps import LifeSteps
from .price_steps import PriceSteps

# A window that has waited so long for its bill is named by the audit.
FORGOTTEN = timedelta(days=62)


class Model(LifeSteps, PriceSteps, DocumentSteps):
    """Steps by name: ``can_x`` returns its arguments or None, ``do_x`` does it."""

    def prepare(self, step: list) -> list | None:
        """The step as Odoo can do it now, or None."""
        name, *args = step
        concrete = getattr(self, f"can_{name}")(*args)
        return None if concrete is None else [name, *concrete]

    def apply(self, step: list, refused: bool) -> None:
        name, *args = step
        if not refused:
            getattr(self, f"do_{name}")(*args)
        elif hasattr(self, f"refused_{name}"):
            getattr(self, f"refused_{name}")(*args)
        self.now += timedelta(minutes=1)
        self.extend()

    def refusal(self, step: list) -> bool | None:
        """Whether it must be refused; None: both will do."""
        name, *args = step
        answer = getattr(self, f"refuse_{name}", None)
        return answer(*args) if answer else False

    # -- what must be --------------------------------------------------------------

    def expected(self) -> dict:
        """What can be compared, as text and sums."""
        return {
            "money": {
                f"{start.isoformat() if start else 'by hand'} {metric}".strip(): [
                    f"{float(amount):.2f}" for amount in sums
                ]
                for (start, metric), sums in self.money().items()
            },
            "moves": [move.state for move in self.moves],
            "windows": [
                [window.start.isoformat(), window.end.isoformat()]
                for window in self.windows
                if not window.void and window.start <= self.now
            ],
        }

    def flags(self) -> dict:
        return {
            key: "voided"
            if event.voided
            else "allocated"
            if self.is_allocated(event, self.order)
            else "unallocated"
            for key, event in self.events.items()
        }

    def has_forgotten(self) -> bool:
        """Whether what was taken back has waited for long: the audit names it, too."""
        return any(
            not (window.settled or window.void) and window.end < self.now - FORGOTTEN
            for window in self.windows
        )

    def has_charges_by_hand(self) -> bool:
        """Then the audit and control totals must name them."""
        copies = any(move.is_by_hand and move.state == "posted" for move in self.moves)
        return copies or any(line.is_beyond for line in self.lines)
