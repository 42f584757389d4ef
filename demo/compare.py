"""Compares what Odoo made of the month with the independent figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest

from .catalog import APPS, CHARGES, App
from .expected import AppBooks, Figure, Invoice, Verdict
from .tables import money, number, table

ZERO = Figure()
STATUSES = ("posted", "accepted", "duplicate", "conflict", "rejected")


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


def _count(value: int) -> str:
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
        for number_, (got, right) in enumerate(zip_longest(verdicts, book.verdicts), 1):
            comparison.check(f"{app.name}: event {number_} posted", got, right)
        counts = Counter(verdict.status for verdict in verdicts)
        counts["posted"] = len(verdicts)
        cells = [
            comparison.check(
                f"{app.name}: events {status}",
                counts[status],
                book.counts()[status],
                _count,
            )
            for status in STATUSES
        ]
        in_odoo = stored.get(app.code, {}).get("events", 0)
        unallocated = stored.get(app.code, {}).get("unallocated", 0)
        cells.append(
            comparison.check(
                f"{app.name}: events in Odoo", in_odoo, len(book.kept), _count
            )
        )
        comparison.check(f"{app.name}: events outside every window", unallocated, 0)
        rows.append([app.name, *cells])
    headings = ("App", *(f">{status.capitalize()}" for status in STATUSES), ">In Odoo")
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
        [code, comparison.check(f"refusals {code}", got[code], right[code], _count)]
        for code in sorted(got | right)
    ]
    return table(("Refused because", ">Events"), rows)


# ------------------------------------------------------------------------------ ratings


def read_figures(ratings: Sequence[Mapping], window_start: str) -> dict:
    """Ratings of one window, as `expected.figures` has them.

    The quantity is that of the latest revision; amounts of revisions add up.
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
    per = charge.unit if batch == 1 else f"{number(batch)} {charge.unit}"
    text = f"{charge.price} per {per}"
    if charge.model == "package":
        text += " begun"
    if Decimal(charge.quota):
        text += f", {number(Decimal(charge.quota))} free"
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
    return table(("Customer", "Charge", ">Quantity", ">Amount"), rows)


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
    """Quantity and amount of each charge over its customers, beside our own figure."""
    rows = []
    for app in APPS:
        for charge in app.charges:
            ours, theirs = (_sum(app, charge.metric, f) for f in (right, found))
            cells = _figure_cells(
                comparison, f"{app.name}, {charge.name}", theirs, ours
            )
            rows.append(
                [
                    app.name,
                    charge.name,
                    price_text(charge.metric),
                    *cells,
                    money(ours.amount),
                ]
            )
    headings = ("App", "Charge", "Price", ">Quantity", ">Amount", ">Computed apart")
    return table(headings, rows)


def _sum(app: App, metric: str, figures: Mapping) -> Figure:
    group = [figures.get((customer, metric), ZERO) for customer in app.customers]
    return Figure(
        sum((figure.quantity for figure in group), Decimal(0)),
        sum((figure.amount for figure in group), Decimal(0)),
    )


# ----------------------------------------------------------------------------- invoices


def invoice_table(
    comparison: Comparison, found: Sequence[Mapping], right: Sequence[Invoice]
) -> str:
    """Each invoice with its base fee, usage lines, tax and total."""
    rows = []
    waiting = {(invoice.customer, invoice.day): invoice for invoice in right}
    for move in found:
        invoice = waiting.pop((move["customer"], move["day"]), None)
        what = f"invoice {move['number']} of {move['name']}"
        if invoice is None:
            comparison.check(f"{what}: on {move['day']}", "there", "absent")
            continue
        comparison.check(f"{what}: state", move["state"], "posted")
        base = [Decimal(li["amount"]) for li in move["lines"] if not li["metric"]]
        usage = {
            line["metric"]: Decimal(line["amount"])
            for line in move["lines"]
            if line["metric"]
        }
        rows.append(
            [
                move["number"],
                move["day"],
                move["name"],
                comparison.check(
                    f"{what}: base fee", sum(base), invoice.base_fee, money
                ),
                _usage_cell(comparison, what, usage, invoice.usage),
                *(
                    comparison.check(
                        f"{what}: {name}",
                        Decimal(move[name]),
                        getattr(invoice, name),
                        money,
                    )
                    for name in ("untaxed", "tax", "total")
                ),
            ]
        )
    for invoice in waiting.values():
        comparison.check(
            f"invoice of {invoice.customer} on {invoice.day}", "absent", "there"
        )
    headings = (
        *("Number", "Date", "Customer", ">Base fee", ">Usage lines"),
        *(">Untaxed", ">Tax", ">Total"),
    )
    return table(headings, rows)


def _usage_cell(
    comparison: Comparison, what: str, found: Mapping, right: Mapping
) -> str:
    cells = [
        comparison.check(
            f"{what}: {CHARGES[metric].name}",
            found.get(metric, Decimal(0)),
            right.get(metric, Decimal(0)),
            money,
        )
        for metric in CHARGES
        if metric in found or metric in right
    ]
    return " + ".join(cells)


# ----------------------------------------------------------------------------- webhooks


def webhook_table(
    comparison: Comparison,
    outbox: Sequence[Mapping],
    arrivals: Sequence[Mapping],
    right: Counter,
) -> str:
    """Webhooks by type: written, sent, received once, and verified.

    Every one in the outbox must have arrived, whatever its type; of the types in
    `right` there must be that many.
    """
    good = [a for a in arrivals if a["answered"] == 200 and not a["repeated"]]
    received = {arrival["event_id"]: arrival for arrival in good}
    rows = []
    written = Counter(row["event_type"] for row in outbox)
    for event_type in sorted(written | right):
        events = [row for row in outbox if row["event_type"] == event_type]
        count = len(events)
        arrived = [
            received[row["event_id"]] for row in events if row["event_id"] in received
        ]
        cells = [
            comparison.check(f"webhooks {event_type} {name}", got, wanted, _count)
            for name, got, wanted in (
                ("written", count, right.get(event_type, count)),
                ("sent", sum(row["state"] == "sent" for row in events), count),
                ("received", len(arrived), count),
                ("verified (X-Fusion-Signature)", _sum_of(arrived, "fusion"), count),
                ("verified (Standard Webhooks)", _sum_of(arrived, "standard"), count),
                ("at the right app", _right_app(events, received), count),
            )
        ]
        rows.append([event_type, *cells[:5]])
    unknown = received.keys() - {row["event_id"] for row in outbox}
    comparison.check("webhooks received that nobody wrote", len(unknown), 0)
    headings = (
        *("Webhook", ">Written", ">Sent", ">Received"),
        *(">Fusion signature", ">Standard Webhooks signature"),
    )
    return table(headings, rows)


def _sum_of(arrivals: Sequence[Mapping], name: str) -> int:
    return sum(arrival[name] for arrival in arrivals)


def _right_app(events: Sequence[Mapping], received: Mapping) -> int:
    return sum(
        row["event_id"] in received and received[row["event_id"]]["app"] == row["app"]
        for row in events
    )


def retries(
    comparison: Comparison, outbox: Sequence[Mapping], arrivals: Sequence[Mapping]
) -> str:
    """The events that were refused once, and came again under the same id."""
    refused = {a["event_id"] for a in arrivals if a["answered"] == 503}
    attempts = {row["event_id"]: row["attempts"] for row in outbox}
    good = {a["event_id"] for a in arrivals if a["answered"] == 200}
    comparison.check("webhooks refused once with 503", len(refused), 1)
    comparison.check("refused webhooks that came again", len(refused & good), 1)
    for event_id in refused:
        comparison.check(f"attempts of {event_id}", attempts.get(event_id), 2)
    wrong = sum(a["answered"] == 401 for a in arrivals)
    comparison.check("webhooks with a wrong signature or body", wrong, 0)
    return (
        "  One invoice.posted was answered with 503 on purpose; it came again under"
        " the same\n  event id, with a new timestamp and signature, and was accepted."
    )
