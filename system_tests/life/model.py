"""The model: which step is possible now, and what follows from it.

`prepare` makes a step of a program concrete, or says that it is not possible now;
`apply` does what a concrete one must do. A refusal is asked for by `must_refuse`, and
`may_refuse` says of which steps the rules leave it open.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction

from .calendar import is_boundary, midnight
from .ledger import METRICS, Event
from .life import Life
from .money import Terms, rounded
from .records import Charge, Credit, Line, Move

ENDED = ("closed", "renewed", "cancelled")
OPEN = ("progress", "paused")


class Model(Life):
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

    # -- time --------------------------------------------------------------------

    def can_wait(self, days):
        to = datetime.combine(self.today + timedelta(days=days), self.now.time())
        return [max(to.replace(hour=12, minute=0), self.now).isoformat()]

    def do_wait(self, to):
        self.now = max(datetime.fromisoformat(to), self.now)

    def can_next(self):
        """On to the day of the next invoice, and a little into it."""
        day = max(self.order.next, self.today + timedelta(days=1))
        return [datetime(day.year, day.month, day.day, 12).isoformat()]

    do_next = do_wait

    # -- usage -------------------------------------------------------------------

    def can_usage(self, events):
        return [[self.event(*event) for event in events]]

    def event(self, key, metric, quantity, where):
        """``where``: hours ago, or beside the beginning of one of the last windows."""
        kind, count, seconds = where
        start = self.now - timedelta(hours=count)
        if kind == "edge" and self.windows:
            place = max(len(self.windows) - 1 - count, 0)
            start = self.windows[place].start + timedelta(seconds=seconds)
        start = min(start, self.now + timedelta(hours=20))
        return [key, metric, quantity, start.isoformat()]

    def do_usage(self, events):
        for key, metric, quantity, start in events:
            start = datetime.fromisoformat(start)
            self.events.setdefault(key, Event(key, metric, quantity, start))

    def can_void(self, place):
        known = [event for event in self.events.values() if not event.voided]
        if not known:
            return None
        event = known[place % len(known)]
        return [event.key, event.metric]

    def do_void(self, key, _metric):
        self.events[key].voided = True

    def can_repeat(self, place):
        """The same request again."""
        known = list(self.events.values())
        if not known:
            return None
        event = known[place % len(known)]
        start = event.start.isoformat()
        return [[[event.key, event.metric, event.quantity, start]]]

    do_repeat = do_usage

    # -- jobs --------------------------------------------------------------------

    def can_jobs(self):
        """Once a day at most, and not on a day on which something was posted."""
        return self.can_wait(1 if self.busy == self.today else 0)

    def do_jobs(self, to):
        self.do_wait(to)
        self.busy = self.today
        self.extend()
        if self.order.runs:
            self.invoice(self.order)
        self.expire()
        self.rate()

    def can_crash(self, place):
        """The jobs, in a process that ends in the middle: as if nothing was."""
        return [*self.can_jobs(), place]

    def do_crash(self, _to, _place):
        pass

    can_rate = can_jobs

    def do_rate(self, to):
        self.do_wait(to)
        self.busy = self.today
        self.extend()
        self.rate()

    def can_finance(self):
        return [self.order.number] if self.order.state in ENDED else None

    def do_finance(self, _number):
        order = self.order
        due = [w for w in self.own(order) if w.end <= self.now or w.released]
        self.bill_rest(order, order.life, due)

    # -- life --------------------------------------------------------------------

    def number_if(self, possible) -> list | None:
        return [self.order.number] if possible else None

    def can_pause(self):
        return self.number_if(self.order.runs and self.order.start <= self.today)

    def do_pause(self, _number):
        self.order.state = "paused"

    def is_in_the_way(self) -> bool:
        """A draft of the period after a pause bars the way."""
        order = self.order
        return order.next < self.today and self.claim(order) is not None

    def can_resume(self):
        order = self.order
        ended = order.end and order.end <= self.today
        paused = order.state == "paused" and not ended
        return self.number_if(paused and not self.is_in_the_way())

    def do_resume(self, _number):
        self.go_on(self.order)

    def can_close(self):
        order = self.order
        return self.number_if(order.state in OPEN and order.start <= self.today)

    def do_close(self, _number):
        self.close(self.order)

    def can_reopen(self):
        closed = self.order.state == "closed" and not self.is_in_the_way()
        return self.number_if(closed)

    do_reopen = do_resume

    def can_plan(self, when, plan):
        order = self.order
        if order.plan == plan or order.state not in OPEN or self.claim(order):
            return None
        if when == "now":
            drafts = any(m.order is order and m.state == "draft" for m in self.moves)
            begun = order.last and order.last < self.today < order.next
            last = self.last
            takes_over = last and last.first == self.today and last.settled
            if not (order.runs and begun) or drafts or order.days or takes_over:
                return None
        return [order.number, when, plan]

    def do_plan(self, _number, when, plan):
        if when == "now":
            self.change_plan_now(self.order, plan)
        else:
            self.order.plan = plan

    def can_end(self, days):
        order, day = self.order, self.today + timedelta(days=days)
        possible = order.state in OPEN and not order.end and day > order.start
        return [order.number, day.isoformat()] if possible else None

    def do_end(self, _number, day):
        self.end(self.order, date.fromisoformat(day))

    def can_next_date(self, days):
        order, last = self.order, self.last
        day = max(order.next, self.today) + timedelta(days=days)
        possible = (
            order.state in OPEN
            and not (order.end or self.claim(order) or order.days)
            and last
            and last.order is order
            and last.end > self.now
            and last.first < day
        )
        return [order.number, day.isoformat()] if possible else None

    def do_next_date(self, _number, day):
        self.move_next(self.order, date.fromisoformat(day))

    def can_start(self, days):
        if len(self.orders) > 1 or not self.windows or self.order.state not in OPEN:
            return None
        day = self.windows[0].first + timedelta(days=days)
        if day >= min(self.windows[0].until, self.today) or self.order.last is None:
            return None
        return [0, day.isoformat()]

    def refuse_start(self, _number, _day):
        return any(window.settled or window.released for window in self.windows)

    def do_start(self, _number, day):
        window, self.order.start = self.windows[0], date.fromisoformat(day)
        window.first = self.order.start
        window.start = midnight(window.first, self.zone)

    def can_tz(self, zone):
        return [zone] if zone != self.zone else None

    def do_tz(self, zone):
        self.change_zone(zone)

    def can_renew(self):
        order, last = self.order, self.last
        start = order.next if order.runs else max(order.next, self.today)
        possible = (
            order.state in (*OPEN, "closed")
            and last
            and last.until <= start
            and not (self.claim(order) or order.end and order.runs)
            and order.start < start
        )
        return self.number_if(possible)

    def do_renew(self, _number):
        self.renew(self.order)

    def can_unrenew(self):
        renewal = self.order
        if renewal.number == 0 or renewal.invoiced or renewal.state not in OPEN:
            return None
        parent = self.orders[-2]
        begun = any(window.order is renewal for window in self.windows)
        settled = any(w.settled for w in self.windows if w.order is renewal)
        if settled or (begun and parent.before != "progress"):
            return None
        return [renewal.number]

    def do_unrenew(self, _number):
        self.unrenew(self.order)

    def can_cancel_order(self):
        order = self.order
        drafts = any(m.order is order and m.state == "draft" for m in self.moves)
        begun = order.number == 0 or order.invoiced
        return self.number_if(order.state in OPEN and begun and not drafts)

    def do_cancel_order(self, _number):
        self.close(self.order)
        for move in self.moves:
            if move.order is self.order and move.state == "draft":
                self.do_cancel(self.moves.index(move))
        self.order.state = "cancelled"

    def can_confirm(self, customer, currency):
        order = self.order
        if order.state != "cancelled" or order.last is None or self.is_in_the_way():
            return None
        return [order.number, customer, currency]

    def do_confirm(self, _number, customer, currency):
        order = self.order
        order.life += 1
        order.customer, order.currency = customer, currency
        self.go_on(order, anew=True)

    # -- prices ------------------------------------------------------------------

    def can_rates(self, days, rate):
        return [(self.today - timedelta(days=days)).isoformat(), rate]

    def do_rates(self, day, rate):
        self.rates["EUR"][date.fromisoformat(day)] = Fraction(rate)

    def can_discount(self, percent):
        return [self.order.number, percent]

    def do_discount(self, _number, percent):
        self.discount = percent

    def can_edit(self, place, values):
        active = [n for n, charge in enumerate(self.charges) if charge.active]
        return [active[place % len(active)], values] if active else None

    def do_edit(self, number, values):
        charge = self.charges[number]
        charge.terms = charge.terms.but(**values)

    def can_archive(self, place):
        active = [n for n, charge in enumerate(self.charges) if charge.active]
        return [active[place % len(active)]] if active else None

    def do_archive(self, number):
        self.charges[number].active = False

    def can_add(self, plan, metric, values):
        """Where the plan has none in that currency."""
        currency = values.get("currency", "USD")
        if any(
            (c.plan, c.metric, c.terms.currency) == (plan, metric, currency)
            for c in self.charges
            if c.active
        ):
            return None
        return [plan, metric, values]

    def do_add(self, plan, metric, values):
        self.charges.append(Charge(plan, metric, Terms(**values)))

    def can_replace(self, place, values):
        return self.can_edit(place, values)

    def do_replace(self, number, values):
        old = self.charges[number]
        old.active = False
        terms = old.terms.but(**values)
        self.charges.append(Charge(old.plan, old.metric, terms, old.first, old.last))

    def can_go_live(self, place, values, days):
        """A price draft: one price ends the day before the other begins."""
        day = self.today + timedelta(days=days)
        active = [
            number
            for number, c in enumerate(self.charges)
            if c.active and c.last is None and (c.first is None or c.first < day)
        ]
        if not active:
            return None
        return [active[place % len(active)], values, day.isoformat()]

    def do_go_live(self, number, values, day):
        old, day = self.charges[number], date.fromisoformat(day)
        old.last = day - timedelta(days=1)
        terms = old.terms.but(**values)
        self.charges.append(Charge(old.plan, old.metric, terms, day))

    # -- documents ---------------------------------------------------------------

    def choose(self, place: int, condition) -> Move | None:
        """One of the documents that it is possible for, the latest first."""
        found = [move for move in reversed(self.moves) if condition(move)]
        return found[place % len(found)] if found else None

    def number_of(self, move: Move | None, *more) -> list | None:
        return None if move is None else [self.moves.index(move), *more]

    @staticmethod
    def is_invoice(move: Move, *states: str) -> bool:
        plain = move.kind == "invoice" and not move.is_refund
        return plain and move.state in states

    def has_credits(self, move: Move) -> bool:
        """Whether a credit note or a reversal of it is there, in whatever state."""
        credited = any(
            part.move.state != "gone" for line in move.lines for part in line.credits
        )
        return credited or any(other.of is move for other in self.moves)

    def can_post(self, place):
        return self.number_of(self.choose(place, lambda m: m.state == "draft"))

    def refuse_post(self, number):
        return None if self.is_billed_anew(self.moves[number].lines) else False

    def do_post(self, number):
        self.post_move(self.moves[number])

    def can_delete(self, place):
        move = self.choose(
            place,
            lambda m: (
                m.kind == "invoice" and m.state == "draft" and not m.was_posted
            ),
        )
        return self.number_of(move)

    def do_delete(self, number):
        self.take_back(self.moves[number])
        self.moves[number].state = "gone"

    def can_cancel(self, place):
        move = self.choose(
            place,
            lambda m: (
                m.kind in ("invoice", "credit")
                and m.state in ("draft", "posted")
                and not self.has_credits(m)
            ),
        )
        return self.number_of(move)

    def refuse_cancel(self, number):
        move = self.moves[number]
        lines = [part.line for part in move.parts if move.is_credit]
        return None if self.is_billed_anew(lines) else False

    def do_cancel(self, number):
        move = self.moves[number]
        self.take_back(move)
        was_credit = move.is_credit
        move.state = "cancel"
        if was_credit:
            self.undo_credit(move)

    def can_reset(self, place):
        def possible(move):
            if move.kind not in ("invoice", "credit") or self.has_credits(move):
                return False
            period = move.period
            if move.state == "cancel" and period and not move.was_posted:
                order = move.order
                if order.next != period or self.claim(order):
                    return False
            return move.state in ("posted", "cancel")

        return self.number_of(self.choose(place, possible))

    refuse_reset = refuse_cancel

    def do_reset(self, number):
        move = self.moves[number]
        was_credit = move.is_credit
        move.state = "draft"
        if was_credit:
            self.undo_credit(move)

    def can_change(self, place, factor):
        """Another price on a line of a draft."""
        move = self.choose(
            place,
            lambda m: (
                self.is_invoice(m, "draft")
                and any(line.counts and line.amount > 0 for line in m.lines)
            ),
        )
        if move is None:
            return None
        places = [n for n, x in enumerate(move.lines) if x.counts and x.amount > 0]
        line = move.lines[places[0]]
        price = rounded(line.amount * Fraction(factor))
        return [self.moves.index(move), *self.name(line), f"{float(price):.2f}"]

    @staticmethod
    def name(line: Line) -> list:
        return [line.window.start.isoformat(), line.metric]

    def find(self, number: int, start: str, metric: str) -> Line:
        return next(
            line
            for line in self.moves[number].lines
            if self.name(line) == [start, metric] and not line.dropped
        )

    def do_change(self, number, start, metric, price):
        self.find(number, start, metric).shown = Fraction(price)

    def can_drop(self, place):
        move = self.choose(
            place,
            lambda m: (
                self.is_invoice(m, "draft")
                and any(not line.dropped for line in m.lines)
                and not self.has_credits(m)
            ),
        )
        return self.number_of(move)

    def do_drop(self, number):
        for line in self.moves[number].lines:
            if line.counts:
                self.open_anew(line)
            line.dropped = True

    def creditable(self, move: Move) -> list[Line]:
        return [
            line
            for line in move.lines
            if line.counts and line.shown > 0 and line.shown > line.credited
        ]

    def can_credit(self, place, share, again):
        """Credit a share of what each usage line still charges."""
        move = self.choose(
            place, lambda m: self.is_invoice(m, "posted") and self.creditable(m)
        )
        if move is None:
            return None
        parts = []
        for line in self.creditable(move):
            amount = rounded((line.shown - line.credited) * Fraction(share))
            if amount:
                parts.append([*self.name(line), f"{float(amount):.2f}"])
        return [self.moves.index(move), parts, again] if parts else None

    def do_credit(self, number, parts, again):
        original = self.moves[number]
        move = Move(original.order, "credit", again=again, life=original.life)
        self.moves.append(move)
        for start, metric, amount in parts:
            line = self.find(number, start, metric)
            part = Credit(line, Fraction(amount), move)
            move.parts.append(part)
            line.credits.append(part)
        self.post(move)

    def can_modify(self, place):
        """Reverse and create invoice."""
        move = self.choose(
            place,
            lambda m: (
                self.is_invoice(m, "posted")
                and m.lines
                and all(
                    line.counts and 0 < line.shown == line.amount and not line.credits
                    for line in m.lines
                )
            ),
        )
        return self.number_of(move)

    def do_modify(self, number):
        original = self.moves[number]
        parts = [[*self.name(x), str(x.shown)] for x in original.lines]
        self.do_credit(number, parts, True)
        move = self.make(original.order, original.life)
        for line in original.lines:
            line.window.agreed[line.metric] = line.terms
            copy = self.add_line(move, line.window, line.metric, line.amount)
            copy.at = line.at

    def can_reverse(self, place):
        """Reverse a credit note: finance's own, or what a job has made of a void."""
        move = self.choose(
            place,
            lambda m: (
                m.state == "posted"
                and not m.undone
                and (m.kind == "credit" or m.is_refund and m.lines)
                and not self.has_credits(m)
            ),
        )
        return self.number_of(move)

    def refuse_reverse(self, number):
        lines = [part.line for part in self.moves[number].parts]
        return None if self.is_billed_anew(lines) else False

    def do_reverse(self, number):
        move = self.moves[number]
        back = Move(move.order, "back", of=move)
        too_late = self.is_billed_anew([part.line for part in move.parts])
        self.moves.append(back)
        if not too_late:
            move.undone = True
            self.take_back(move)
            self.undo_credit(move)
        else:
            back.of, back.by_hand = None, -sum(a for _w, _m, a in move.amounts())
        self.post(back)

    def can_copy(self, place, how):
        """``how``: duplicate, or debit note with its lines."""
        move = self.choose(
            place,
            lambda m: (
                self.is_invoice(m, "posted") and any(not x.dropped for x in m.lines)
            ),
        )
        return self.number_of(move, how)

    def do_copy(self, number, _how):
        original = self.moves[number]
        copy = Move(original.order, "copy")
        copy.by_hand = sum(amount for _w, _m, amount in original.amounts())
        self.moves.append(copy)
        self.post(copy)

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

    def has_charges_by_hand(self) -> bool:
        """Then the audit and control totals must name them."""
        return any(move.by_hand and move.state == "posted" for move in self.moves)


__all__ = ["METRICS", "Model", "is_boundary"]
