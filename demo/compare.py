"""Compares what Odoo made of the month with the independent figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest

from .catalog import APPS, CHARGES, App
from .expected import AppBooks, Figure, Verdict
from .tables import money, number, table

ZERO = Figure()
STATUSES = ("posted", "accepted", "duplicate", "conflict", "rejected", "in Odoo")
APART = "  computed apart"


@dataclass
class Comparison:
    """Counts compared figures and keeps the ones that differ.

    :ivar differences: one sentence for each
    """

    compared: int = 0
    differences: list[str] = field(default_factory=list)

    def check(self, what: str, found, right, show=str) -> str:
        """Compare two values; return the text of a table cell."""
        self.compared += 1
        if found == right:
            return show(found)
        cell = f"{show(found)} (should be {show(right)})"
        self.differences.append(f"{what} is {show(found)}, should be {show(right)}")
        return cell


def show_count(value: int) -> str:
    return f"{value:,}"


# ------------------------------------------------------------------------------- usage


def usage_table(
    comparison: Comparison,
    found: Mapping[str, Sequence[Verdict]],
    books: Sequence[AppBooks],
    stored: Mapping[str, Mapping],
) -> str:
    """Posted, accepted, duplicate, conflict and rejected events of each app.

    :param found: app -> what the API said of each event, in posting order
    :param stored: app -> events counted in the database afterwards
    """
    rows = []
    for book in books:
        app, verdicts = book.app, found[book.app.code]
        in_odoo = stored.get(app.code, {"events": 0, "unallocated": 0})
        for place, (got, right) in enumerate(zip_longest(verdicts, book.verdicts), 1):
            comparison.check(f"{app.name}: event {place} posted", got, right)
        counts = Counter(verdict.status for verdict in verdicts)
        counts["posted"] = len(verdicts)
        counts["in Odoo"] = in_odoo["events"]
        right = book.counts()
        right["in Odoo"] = len(book.kept)
        for status in STATUSES:
            what = f"{app.name}: events {status}"
            comparison.check(what, counts[status], right[status], show_count)
        comparison.check(
            f"{app.name}: events outside every window", in_odoo["unallocated"], 0
        )
        rows.append([app.name, *(show_count(counts[status]) for status in STATUSES)])
        rows.append([APART, *(show_count(right[status]) for status in STATUSES)])
    headings = ("App", *(f">{status.capitalize()}" for status in STATUSES))
    return table(headings, rows)


def refusals_table(
    comparison: Comparison,
    found: Mapping[str, Sequence[Verdict]],
    books: Sequence[AppBooks],
) -> str:
    """How often each error code was given, over all apps."""
    got = Counter(v.code for verdicts in found.values() for v in verdicts if v.code)
    right = Counter(v.code for book in books for v in book.verdicts if v.code)
    rows = [
        [code, comparison.check(f"refusals {code}", got[code], right[code], show_count)]
        for code in sorted(got | right)
    ]
    return table(("Refused because", ">Events"), rows)


# ------------------------------------------------------------------------------ ratings


def read_figures(ratings: Sequence[Mapping], window_start: str) -> dict:
    """Ratings of one window, as `expected.figures` has them.

    The quantity is that of the latest revision; amounts of revisions add up.

    :param ratings: as the script `collect.py` reads them, revisions in order
    :param window_start: day (YYYY-MM-DD) the window begins on
    """
    figures: dict[tuple[str, str], Figure] = {}
    for row in ratings:
        if row["window_start"] != window_start or row["state"] == "released":
            continue
        key = row["customer"], row["metric"]
        amount = figures.get(key, ZERO).amount + Decimal(row["amount"])
        figures[key] = Figure(Decimal(row["quantity"]), amount)
    return figures


def price_text(metric: str) -> str:
    """The price of a metric in words."""
    charge = CHARGES[metric]
    batch = Decimal(charge.batch)
    per = f"{number(batch)} {charge.unit}"
    text = f"{charge.price} each" if batch == 1 else f"{charge.price} per {per}"
    if charge.model == "package":
        text += " begun"
    if Decimal(charge.quota):
        text += f", the first {number(Decimal(charge.quota))} free"
    return text


def customer_table(
    comparison: Comparison, what: str, found: Mapping, right: Mapping
) -> str:
    """Quantity and amount of each charge of each customer."""
    rows = []
    for app in APPS:
        for customer in app.customers:
            for charge in app.charges:
                key = customer, charge.metric
                if key not in found and key not in right:
                    continue
                row = _figure_cells(
                    comparison,
                    f"{what}: {app.customer_name(customer)}, {charge.name}",
                    found.get(key, ZERO),
                    right.get(key, ZERO),
                )
                rows.append([app.customer_name(customer), charge.name, *row])
    for key in found.keys() - {(c, m.metric) for c, m in _customer_charges()}:
        comparison.check(f"{what}: rating of {key}", found[key], None)
    return table(("Customer", "Usage Price", ">Quantity", ">Amount"), rows)


def _customer_charges():
    return ((c, m) for app in APPS for c in app.customers for m in app.charges)


def _figure_cells(
    comparison: Comparison, what: str, found: Figure, right: Figure
) -> list[str]:
    return [
        comparison.check(f"{what}: quantity", found.quantity, right.quantity, number),
        comparison.check(f"{what}: amount", found.amount, right.amount, money),
    ]


def charge_table(comparison: Comparison, found: Mapping, right: Mapping) -> str:
    """Quantity and amount of each charge over its customers, beside our own figures."""
    rows = []
    for app in APPS:
        for charge in app.charges:
            what = f"{app.name} {charge.name}"
            theirs, ours = (_sum(app, charge.metric, f) for f in (found, right))
            _figure_cells(comparison, what, theirs, ours)
            rows.append([what, number(theirs.quantity), money(theirs.amount)])
            rows.append([APART, number(ours.quantity), money(ours.amount)])
    return table(("Usage Price", ">Quantity", ">Amount"), rows)


def price_table() -> str:
    """What the sample customers pay for."""
    rows = []
    for app in APPS:
        rows.append([app.name, "Base fee", f"{app.base_fee} a month, in advance"])
        rows += [["", charge.name, price_text(charge.metric)] for charge in app.charges]
    return table(("App", "Usage Price", "Price"), rows)


def _sum(app: App, metric: str, figures: Mapping) -> Figure:
    group = [figures.get((customer, metric), ZERO) for customer in app.customers]
    return Figure(
        sum((figure.quantity for figure in group), Decimal(0)),
        sum((figure.amount for figure in group), Decimal(0)),
    )
