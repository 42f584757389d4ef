"""What the model remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from .money import Terms

ZERO = Fraction(0)


@dataclass(eq=False)
class Charge:
    """A price of a metric on a plan, valid from one day to another."""

    plan: str
    metric: str
    terms: Terms
    first: date | None = None
    last: date | None = None
    active: bool = True

    def counts_on(self, day: date) -> bool:
        begun = self.first is None or self.first <= day
        return self.active and begun and (self.last is None or day <= self.last)


@dataclass(eq=False)
class Order:
    """A subscription, or a renewal of one."""

    number: int
    plan: str
    start: date
    anchor: date
    next: date  # the day of its next invoice
    customer: str = "first"
    currency: str = "USD"
    discount: str = "0"  # percent, of its usage
    state: str = "progress"  # paused, closed, renewed, cancelled
    before: str = ""  # the state that its renewal took it out of
    last: date | None = None
    end: date | None = None
    agreed_end: date | None = None  # what the end was before it was closed
    days: bool = False  # some days are to be invoiced since it runs again
    invoiced: bool = False  # whether a period was ever invoiced, or is in a draft

    @property
    def runs(self) -> bool:
        return self.state == "progress"

    @property
    def party(self) -> tuple[str, str]:
        return self.customer, self.currency


@dataclass(eq=False)
class Window:
    """Time that is billed together: days for the calendar, instants for the events."""

    first: date
    until: date
    start: datetime
    end: datetime
    plan: str
    order: Order
    party: tuple[str, str]  # who is billed, in which currency
    void: bool = False  # the subscription had ended before it began
    settled: bool = False
    is_fixed: bool = False  # it was settled once: its bounds stay
    settled_by: Move | None = None
    released: bool = False  # what had settled it was taken back
    # What was agreed, by metric; None: no price. One that is open is not in it.
    agreed: dict[str, Terms | None] = field(default_factory=dict)


@dataclass(eq=False)
class Line:
    """What a line of an invoice bills of a window."""

    window: Window
    metric: str
    amount: Fraction  # as it was rated
    at: Fraction  # what the window came to then
    terms: Terms
    move: Move
    shown: Fraction = ZERO  # on the invoice
    dropped: bool = False
    taken_back: bool = False
    made: int = 0  # its place among all that was made and taken back
    opened: int = 0  # when it stopped to count
    credits: list[Credit] = field(default_factory=list)

    @property
    def parts(self) -> list[Credit]:
        return [part for part in self.credits if part.move.is_credit]

    @property
    def credited(self) -> Fraction:
        total = sum((part.amount for part in self.parts), ZERO)
        return min(total, self.shown) if total else ZERO

    @property
    def is_beyond(self) -> bool:
        """Whether more is credited than it charges."""
        return sum((part.amount for part in self.parts), ZERO) > self.shown > 0

    @property
    def counts(self) -> bool:
        live = self.move.state in ("draft", "posted")
        return live and not self.dropped and not self.taken_back and not self.is_again

    @property
    def is_again(self) -> bool:
        """Whether it was credited in full, to be billed again."""
        whole = bool(self.parts) and self.credited == self.shown
        return whole and all(part.move.again for part in self.parts)


@dataclass(eq=False)
class Credit:
    """What a line of a credit note credits of a line of an invoice."""

    line: Line
    amount: Fraction
    move: Move


@dataclass(eq=False)
class Move:
    """An invoice, a credit note, or a document that carries no rating."""

    order: Order
    kind: str = "invoice"  # or credit, copy, back (what reverses another)
    state: str = "draft"
    period: date | None = None
    until: date | None = None
    posted: int = 0  # its place in the order of posting
    was_posted: bool = False
    lines: list[Line] = field(default_factory=list)
    parts: list[Credit] = field(default_factory=list)
    again: bool = True
    undone: bool = False  # reversed
    by_hand: Fraction = ZERO  # of no window
    is_by_hand: bool = False  # a charge that no rating explains
    is_refund: bool = False  # an invoice below zero
    of: Move | None = None  # what it reverses
    party: tuple[str, str] = ("", "")  # see Window
    settles: list[tuple[Window, dict]] = field(default_factory=list)

    @property
    def is_credit(self) -> bool:
        """Whether it credits something, and that stands."""
        return self.kind == "credit" and self.state == "posted" and not self.undone

    def amounts(self) -> list[tuple[Window | None, str, Fraction]]:
        """What it charges for usage: of which window, or by hand."""
        found = [(x.window, x.metric, x.shown) for x in self.lines if not x.dropped]
        found += [(p.line.window, p.line.metric, -p.amount) for p in self.parts]
        if self.by_hand:
            found.append((None, "", self.by_hand))
        if self.of:
            found += [(w, metric, -amount) for w, metric, amount in self.of.amounts()]
        return found
