"""Compares the invoices with those that must exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from .catalog import CHARGES
from .compare import Comparison
from .expected import Invoice
from .tables import money, table

TOTALS = ("untaxed", "tax", "total")


def invoice_table(
    comparison: Comparison, found: Sequence[Mapping], right: Sequence[Invoice]
) -> str:
    """Each invoice with its base fee, usage lines, tax and total."""
    rows, sums = [], Counter()
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
        sums.update({name: Decimal(move[name]) for name in TOTALS})
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
                    for name in TOTALS
                ),
                comparison.check(f"{what}: paid", move["paid"], invoice.paid, yes),
            ]
        )
    for invoice in waiting.values():
        comparison.check(
            f"invoice of {invoice.customer} on {invoice.day}", "absent", "there"
        )
    rows.append(["All", "", "", "", "", *(money(sums[name]) for name in TOTALS), ""])
    headings = (
        *("Number", "Date", "Customer", ">Base fee", ">Usage lines"),
        *(">Untaxed", ">Tax", ">Total", "Paid"),
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


def yes(value: bool) -> str:
    return "yes" if value else ""


def example(found: Sequence[Mapping]) -> str:
    """The lines of the first invoice with usage, as its customer reads them."""
    move = next((m for m in found if any(li["metric"] for li in m["lines"])), None)
    if move is None:
        return "  There is no invoice with usage."
    rows = []
    for line in move["lines"]:
        first, *more = line["text"].splitlines()
        rows.append([first, money(Decimal(line["amount"]))])
        rows += [[f"  {text}", ""] for text in more]
    return table((f"{move['number']}, {move['name']}", ">Amount"), rows)
