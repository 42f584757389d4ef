"""Steps that change prices, rates and discounts: see model.py."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from .life import Life
from .money import Terms
from .records import Charge


class PriceSteps(Life):
    def can_rates(self, days, rate):
        return [(self.today - timedelta(days=days)).isoformat(), rate]

    def do_rates(self, day, rate):
        self.rates["EUR"][date.fromisoformat(day)] = Fraction(rate)

    def can_discount(self, percent):
        return [self.order.number, percent]

    def do_discount(self, number, percent):
        self.orders[number].discount = percent

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
