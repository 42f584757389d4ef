"""How life moves a subscription and its windows."""

from __future__ import annotations

from datetime import date, datetime

from .calendar import add_months, boundary_after, is_boundary, midnight
from .ledger import Ledger
from .records import Charge, Move, Order, Window


class Life(Ledger):
    """One subscription with its renewals, from the day it is confirmed."""

    def __init__(self, charges: list[Charge], config: dict) -> None:
        super().__init__(charges)
        self.zone = config["zone"]
        self.posting = config["posting"]  # "post" or "draft"
        start = date.fromisoformat(config["start"])
        self.orders = [Order(0, "A", start, start, start, currency=config["currency"])]
        self.now = datetime.fromisoformat(config["now"])
        self.extend()

    @property
    def order(self) -> Order:
        return self.orders[-1]

    # -- windows -----------------------------------------------------------------

    def extend(self) -> None:
        """Windows follow the calendar, whether invoices are made or not."""
        while (ahead := self.window_ahead(self.order)) and self.order.runs:
            last = self.last
            if last and (last.end > self.now or ahead.start > self.now):
                return
            self.windows.append(ahead)

    def window_ahead(self, order: Order) -> Window | None:
        """The one that begins where the last one ended."""
        last = self.last
        first, start = order.start, midnight(order.start, self.zone)
        if last and (last.order is order or last.until >= order.start):
            first, start = last.until, last.end
        if order.end and first >= order.end:
            return None
        if any(w.void and w.order is order for w in self.windows) and order.end:
            return None  # it ended in the time that it stood still
        return self.window(order, first, start)

    def window(self, order: Order, first: date, start: datetime) -> Window:
        until = boundary_after(order.anchor, first)
        if order.end and order.end > first:
            until = min(until, order.end)
        end = midnight(until, self.zone)
        return Window(*(first, until, start, end, order.plan, order, order.party))

    def cut(self, window: Window, day: date) -> None:
        window.until, window.end = day, midnight(day, self.zone)

    def begin_anew(self, order: Order) -> None:
        """A window of its own from today on; the one before ends there."""
        start = midnight(self.today, self.zone)
        last = self.last
        if last and start < last.end:
            if start <= last.start:
                self.windows.remove(last)
            else:
                self.cut(last, self.today)
        window = self.window(order, self.today, start)
        if order.next > self.today:  # also where somebody has chosen that day
            self.cut(window, min(order.next, order.end or order.next))
        self.windows.append(window)

    # -- invoices ----------------------------------------------------------------

    def claim(self, order: Order) -> Move | None:
        """A draft of the next period."""
        for move in self.moves:
            if (move.order, move.state, move.period) == (order, "draft", order.next):
                return move
        return None

    def is_due(self, order: Order) -> bool:
        begins = order.end is None or order.next < order.end
        due = order.runs and order.next <= self.today and begins
        return due and not self.claim(order)

    def make(self, order: Order, party: tuple | None = None) -> Move:
        move = Move(order, party=party or order.party)
        self.moves.append(move)
        return move

    def invoice(self, order: Order) -> None:
        """What the invoicing job does: every period that is due, in its order."""
        posts = self.posting == "post"
        if order.runs and order.days and not self.is_due(order):
            order.days = False
            move = self.make(order)  # of days of the base fee alone
            if posts:
                self.post_move(move)
        while self.is_due(order):
            order.days, order.invoiced = False, True
            move = self.make(order)
            move.period = order.next
            move.until = boundary_after(order.anchor, order.next)
            if order.end and order.end > order.next:
                move.until = min(move.until, order.end)
            due = [w for w in self.own(order) if w.until <= order.next]
            self.bill(move, due)
            self.adopt(move)
            if not posts:
                return
            self.post_move(move)

    def own(self, order: Order, party: tuple | None = None) -> list[Window]:
        """Those of its present customer and currency, or of former ones."""
        party = party or order.party
        return [w for w in self.windows if w.order is order and w.party == party]

    def post_move(self, move: Move) -> None:
        self.post(move)
        if move.period and move.order.next == move.period:
            move.order.last, move.order.next = move.period, move.until

    def bill_rest(self, order: Order, party: tuple, due: list[Window], **more) -> None:
        """An invoice of usage alone, where there is any."""
        move = self.bill(self.make(order, party), due, **more)
        if move.lines:
            self.adopt(move)
            self.post(move)
        else:
            self.moves.remove(move)
            for window, _agreed in move.settles:
                window.settled_by = None

    def rate(self) -> None:
        """The rating job bills what no invoice of the order will come for."""
        for order in self.orders:
            self.bill_ended(order)

    def parties(self, order: Order) -> list[tuple[str, str]]:
        mine = [w.party for w in self.windows if w.order is order]
        return list(dict.fromkeys([*mine, order.party]))

    def bill_ended(self, order: Order) -> None:
        for party in self.parties(order):
            if order.runs and party == order.party:
                continue
            due = [w for w in self.own(order, party) if w.end <= self.now]
            # What was taken back of one that has ended is left to finance.
            goes_on = order.state in ("progress", "paused")
            # What is late for one that has not ended comes at its end.
            waits = order.state in ("paused", "renewed")
            until = self.now if waits else None
            self.bill_rest(order, party, due, released=goes_on, until=until)

    def expire(self) -> None:
        order = self.order
        if order.state not in ("progress", "paused") or not order.end:
            return
        waits = order.runs and order.next < order.end
        if order.end <= self.today and not waits:
            self.close(order)

    # -- states ------------------------------------------------------------------

    def close(self, order: Order) -> None:
        self.invoice(order)
        for party in self.parties(order):
            self.bill_rest(order, party, self.own(order, party))
        end = max(min(order.end or self.today, self.today), order.start)
        order.agreed_end = order.end if order.end != end else None
        order.end, order.state = end, "closed"

    def go_on(self, order: Order, anew: bool = False) -> None:
        """From today on, after a pause, a closing or a cancellation."""
        day = self.today
        if order.state in ("closed", "cancelled"):
            end = order.agreed_end
            order.end = end if end and end > day else None
            order.agreed_end = None
        order.state = "progress"
        if order.next < day:
            if not is_boundary(order.anchor, day):
                order.next = boundary_after(order.anchor, day)
            else:
                order.next = day
            if order.last:
                order.last = add_months(order.next, -1)
            order.days = day < min(order.next, order.end or order.next)
        start = midnight(day, self.zone)
        if anew or not self.last or start >= self.last.end:
            if self.last and start == self.last.end and not anew:
                return  # the next one begins there anyway
            self.begin_anew(order)

    def choose_anchor(self, order: Order) -> None:
        if order.start < order.next and is_boundary(order.start, order.next):
            order.anchor = order.start
        elif not is_boundary(order.anchor, order.next):
            order.anchor = order.next

    def change_plan_now(self, order: Order, plan: str) -> None:
        order.plan, order.next = plan, self.today
        self.choose_anchor(order)
        last = self.last
        if last.first < self.today:
            self.begin_anew(order)
        else:
            last.plan = plan
            until = boundary_after(order.anchor, last.first)
            self.cut(last, min(until, order.end or until))

    def end(self, order: Order, day: date) -> None:
        order.end = day
        for window in self.own(order):
            if window.first >= day:
                window.void = True
            elif window.until > day:
                self.cut(window, day)

    def move_next(self, order: Order, day: date) -> None:
        order.next = day
        self.choose_anchor(order)
        last = self.last
        if not last.settled:
            self.cut(last, day)
        elif last.until < day:
            ahead = self.window_ahead(order)
            self.cut(ahead, day)
            self.windows.append(ahead)

    def change_zone(self, zone: str) -> None:
        self.zone = zone
        last = self.last
        if last and last.end > self.now and not last.settled:
            self.cut(last, last.until)

    def renewal_start(self, order: Order) -> date:
        """The first day that is not invoiced once what is due is."""
        start = order.next if order.runs else max(order.next, self.today)
        while start <= self.today and order.runs:
            start = boundary_after(order.anchor, start)
        return start

    def renew(self, order: Order) -> None:
        start = self.renewal_start(order)
        self.invoice(order)
        order.before, order.state = order.state, "renewed"
        renewal = Order(
            *(len(self.orders), order.plan, start, order.anchor, start),
            *(order.customer, order.currency, order.discount),
        )
        if not is_boundary(renewal.anchor, start):
            renewal.anchor = start
        self.orders.append(renewal)

    def unrenew(self, renewal: Order) -> None:
        """Its renewal is cancelled before its first invoice."""
        parent = self.orders[self.orders.index(renewal) - 1]
        self.orders.remove(renewal)
        parent.state = parent.before
        for window in self.windows:
            if window.order is renewal:
                window.order, window.party = parent, parent.party
