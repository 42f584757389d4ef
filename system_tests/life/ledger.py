"""What each window comes to, what it has been charged, and what bills it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from second_opinion.arithmetic import charged, total

from .money import Terms, price
from .records import ZERO, Charge, Line, Move, Order, Window

METRICS = {"calls": "sum", "jobs": "count", "peak": "max"}
COMPANY = "USD"


@dataclass(eq=False)
class Event:
    key: str
    metric: str
    quantity: str
    start: datetime
    voided: bool = False


class Ledger:
    """Windows, events, prices and documents of one customer's subscription."""

    def __init__(self, charges: list[Charge]) -> None:
        self.charges = charges
        self.rates = {"EUR": {date(2025, 1, 1): Fraction("0.8")}}
        self.events: dict[str, Event] = {}
        self.windows: list[Window] = []
        self.moves: list[Move] = []
        self.lines: list[Line] = []
        self.sequence = 0
        self.busy: date | None = None  # the last day of a job, or of a posting
        self.now = datetime.min

    @property
    def today(self) -> date:
        return self.now.date()

    # -- amounts -----------------------------------------------------------------

    def window_of(self, event: Event) -> Window | None:
        for window in self.windows:
            if window.start <= event.start < window.end and not window.void:
                return window
        return None

    def quantities(self, window: Window, metric: str) -> list[str]:
        return [
            event.quantity
            for event in self.events.values()
            if event.metric == metric
            and not event.voided
            and self.window_of(event) is window
        ]

    def find_terms(self, window: Window, metric: str) -> Terms | None:
        """The price of an open window: of its plan, valid on its first day."""
        found = [
            charge
            for charge in self.charges
            if (charge.plan, charge.metric) == (window.plan, metric)
            and charge.counts_on(window.first)
        ]
        if not found:
            return None
        _customer, currency = window.party
        order = {currency: 0, COMPANY: 1}
        terms = min(found, key=lambda c: order.get(c.terms.currency, 2)).terms
        rate = Fraction(1)
        if terms.currency != currency:
            day = min(window.until, self.today)
            rate = self.rate_on(currency, day) / self.rate_on(terms.currency, day)
        return terms.but(rate=rate, discount=window.order.discount)

    def rate_on(self, currency: str, day: date) -> Fraction:
        rates = self.rates.get(currency, {})
        known = [that for that in rates if that <= day] or list(rates)[:1]
        return rates[max(known)] if known else Fraction(1)

    def terms(self, window: Window, metric: str) -> Terms | None:
        if metric in window.agreed:
            return window.agreed[metric]
        return self.find_terms(window, metric)

    def amount(self, window: Window, metric: str) -> Fraction:
        """What it comes to now."""
        terms = self.terms(window, metric)
        if terms is None or window.void:
            return ZERO
        quantities = self.quantities(window, metric)
        events = ((Fraction(quantity), None) for quantity in quantities)
        return price(terms, total(METRICS[metric], events))

    def lines_of(self, window: Window, metric: str) -> list[Line]:
        return [
            line
            for line in self.lines
            if line.window is window and line.metric == metric and line.counts
        ]

    def decisions(self, window: Window, metric: str) -> list[tuple]:
        """What finance charged otherwise, in the order of posting."""
        found = []
        for line in self.lines_of(window, metric):
            if line.shown != line.amount:
                forgiven = line.amount - line.shown
                place = line.move.posted or self.sequence + 1
                found.append((place, forgiven, line.at))
            left = line.shown
            for part in sorted(line.parts, key=lambda part: part.move.posted):
                forgiven = min(part.amount, left)
                left -= forgiven
                if forgiven:
                    found.append((part.move.posted, forgiven, line.at))
        found.sort(key=lambda decision: decision[0])
        return [(at, forgiven) for _place, forgiven, at in found]

    def charge(self, window: Window, metric: str) -> Fraction:
        """What it is to be charged now."""
        amount = self.amount(window, metric)
        return charged(amount, self.decisions(window, metric))

    def charges_now(self, window: Window, metric: str) -> Fraction:
        """What the lines that count charge."""
        lines = self.lines_of(window, metric)
        return sum((line.shown - line.credited for line in lines), ZERO)

    def open(self, window: Window, metric: str) -> Fraction:
        return self.charge(window, metric) - self.charges_now(window, metric)

    # -- billing -----------------------------------------------------------------

    def settle(self, window: Window, move: Move) -> None:
        for metric in METRICS:
            window.agreed.setdefault(metric, self.find_terms(window, metric))
        window.settled, window.settled_by, window.released = True, move, False
        window.is_fixed = True
        move.settles.append((window, dict(window.agreed)))

    def bill(
        self,
        move: Move,
        due: list[Window],
        released: bool = True,
        until: datetime | None = None,
    ) -> Move:
        """Put on a document what these windows, and the settled ones, owe.

        :param due: those that it settles
        :param released: whether also what was billed before and taken back
        :param until: only what ended by then
        """
        order = move.order
        for window in due:
            if not window.settled and (released or not window.released):
                self.settle(window, move)
        for window in self.windows:
            mine = window.order is order and window.party == move.party
            if not mine or not (window.settled or window.void):
                continue
            if until and window.end > until:
                continue
            for metric in METRICS:
                if metric not in window.agreed and not window.void:
                    if not released:
                        continue
                    window.agreed[metric] = self.find_terms(window, metric)
                if amount := self.open(window, metric):
                    self.add_line(move, window, metric, amount)
        return move

    def adopt(self, move: Move) -> None:
        """What came to nothing, and so had no document, goes with the next one."""
        for window in self.windows:
            if window.order is move.order and window.settled and not window.settled_by:
                window.settled_by = move
                move.settles.append((window, dict(window.agreed)))

    def add_line(self, move: Move, window: Window, metric: str, amount) -> Line:
        self.sequence += 1
        line = Line(window, metric, amount, self.amount(window, metric), None, move)
        line.shown, line.terms = amount, window.agreed.get(metric)
        line.made = self.sequence
        move.lines.append(line)
        self.lines.append(line)
        return line

    def post(self, move: Move) -> None:
        self.sequence += 1
        self.busy = self.today
        move.state, move.was_posted, move.posted = "posted", True, self.sequence
        for line in move.lines:
            if line.taken_back:
                line.taken_back = False
                self.agree_again(line)
        for window, agreed in move.settles:
            if not window.settled:
                window.settled, window.settled_by = True, move
                window.agreed = agreed | window.agreed
        if move.kind == "credit":
            for part in move.parts:
                if part.line.is_again:
                    self.open_anew(part.line)

    # -- taking back -------------------------------------------------------------

    def open_anew(self, line: Line) -> None:
        self.sequence += 1
        line.opened = self.sequence
        line.window.agreed.pop(line.metric, None)

    def agree_again(self, line: Line) -> None:
        """It counts again, at the price it was billed at."""
        if line.counts:
            line.window.agreed.setdefault(line.metric, line.terms)

    def take_back(self, move: Move) -> None:
        """It was cancelled, deleted or reversed."""
        for line in move.lines:
            if line.counts:
                line.taken_back = True
                self.open_anew(line)
        for window, _agreed in move.settles:
            if window.settled_by is move:
                window.settled, window.settled_by, window.agreed = False, None, {}
                # One that came to nothing has nothing that was given back.
                window.released = any(line.window is window for line in self.lines)

    def undo_credit(self, credit: Move) -> None:
        for part in credit.parts:
            self.agree_again(part.line)

    def is_billed_anew(self, lines: list[Line]) -> bool:
        """Whether what these lines billed was billed since it was taken back."""
        return any(
            other.made > line.opened
            for line in lines
            if not line.counts
            for other in self.lines_of(line.window, line.metric)
        )

    # -- what there is -----------------------------------------------------------

    def money(self) -> dict[tuple, list[Fraction]]:
        """On posted documents and on drafts, by window and metric."""
        found: dict[tuple, list[Fraction]] = {}
        for move in self.moves:
            if move.state not in ("posted", "draft"):
                continue
            for window, metric, amount in move.amounts():
                key = (window.start, metric) if window else (None, "")
                sums = found.setdefault(key, [ZERO, ZERO])
                sums[move.state == "draft"] += amount
        return {key: sums for key, sums in found.items() if any(sums)}

    def is_allocated(self, event: Event, order: Order) -> bool:
        """Whether some window bills it, or the next one will."""
        window = self.window_of(event)
        if window is not None:
            return self.terms(window, event.metric) is not None
        last = self.last
        if not order.runs or (last and event.start < last.end):
            return False
        ahead = self.window_ahead(order)
        if ahead is None or event.start < ahead.start:
            return False
        return self.find_terms(ahead, event.metric) is not None

    @property
    def last(self) -> Window | None:
        found = [window for window in self.windows if not window.void]
        return found[-1] if found else None
