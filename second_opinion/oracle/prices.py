"""Metrics and charges, and what a quantity comes to."""

from collections import defaultdict
from fractions import Fraction

from second_opinion.arithmetic import Terms, cost, rounded

# The columns of CHARGES.
NAMES = (
    *("id", "metric", "plan", "company", "active", "first", "last", "model"),
    *("quota", "price", "batch", "minimum"),
)
TERMS = ("model", "quota", "price", "batch", "minimum", "tiers")
TIERED = ("graduated", "volume")


def priced(row, quantity, step):
    """What a quantity comes to by the terms of an agreement or a rating."""
    if row.terms is None:
        return Fraction(0)
    amount = cost(row.terms, quantity, row.discount)
    if row.rate_from:
        amount = amount * row.rate_to / row.rate_from
    return rounded(amount, step)


class Prices:
    """What the charges say now.

    :param metrics: rows of METRICS; charges: of CHARGES; tiers: of TIERS
    :ivar metrics: {metric id: (code, aggregation)}
    :ivar charges: a dict for each charge
    :ivar terms: {charge id: ``Terms``}
    """

    def __init__(self, metrics, charges, tiers):
        self.metrics = {metric: (code, kind) for metric, code, kind in metrics}
        of_charge = defaultdict(list)
        for charge, up_to, price, fee in tiers:
            up_to = None if up_to is None else Fraction(up_to)
            of_charge[charge].append((up_to, Fraction(price), Fraction(fee)))
        self.charges = [
            {
                **dict(zip(NAMES, row, strict=False)),
                **dict(zip(NAMES[8:], map(Fraction, row[8:]), strict=True)),
                "tiers": tuple(of_charge[row[0]] if row[7] in TIERED else ()),
            }
            for row in charges
        ]
        self.terms = {
            charge["id"]: Terms(**{name: charge[name] for name in TERMS})
            for charge in self.charges
        }

    def code(self, metric):
        return self.metrics[metric][0]
