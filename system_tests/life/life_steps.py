"""Steps that move the life of a subscription: see model.py."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from .calendar import boundary_after, midnight
from .ledger import Event
from .life import Life

ENDED = ("closed", "renewed", "cancelled")
OPEN = ("progress", "paused")


class LifeSteps(Life):
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
        self.bill_rest(order, order.party, due)

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

    def refuse_close(self, _number):
        """While the period after the one in draft is due, too."""
        order = self.order
        claim = self.claim(order)
        if not order.runs or not (claim or self.is_due(order)):
            return False
        if not claim and self.posting == "post":
            return False
        after = claim.until if claim else boundary_after(order.anchor, order.next)
        return after <= self.today and (order.end is None or after < order.end)

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
        # Not before its present customer's time: that is another's to settle.
        own = self.own(order)
        began = own[0].first if own else order.start
        possible = (
            order.state in OPEN and not order.end and day > max(order.start, began)
        )
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

    def refuse_start(self, _number, day):
        """Not beside what was settled, and not later than what is invoiced."""
        fixed = any(window.is_fixed for window in self.windows)
        return fixed or date.fromisoformat(day) > self.order.last

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
        start = self.renewal_start(order)
        possible = (
            order.state in (*OPEN, "closed")
            and last
            and last.until <= start
            and not (self.claim(order) or order.end and order.runs)
            and order.start < start
        )
        return self.number_if(possible)

    def leaves_drafts(self, _number):
        """What is due is invoiced before, and a draft of it would be cancelled."""
        return self.posting == "draft" and self.is_due(self.order)

    refuse_renew = refuse_cancel_order = leaves_drafts

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
        # Also what a draft had that closing made, and cancelling took back.
        self.bill_rest(self.order, self.order.party, self.own(self.order))

    def can_confirm(self, customer, currency):
        order = self.order
        if order.state != "cancelled" or order.last is None or self.is_in_the_way():
            return None
        if self.last and self.last.first >= self.today:  # nothing to cut in two
            return None
        return [order.number, customer, currency]

    def do_confirm(self, _number, customer, currency):
        order = self.order
        order.customer, order.currency = customer, currency
        self.go_on(order, anew=True)
