"""Follows the month from `usage.csv` to the journal, by the control totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from .compare import ZERO, Comparison
from .expected import Figure
from .tables import money, number, table

QUANTITIES = ("declared_quantity", "accepted_quantity", "rated_quantity")
AMOUNTS = ("rated_amount", "posted_amount", "journal_balance")
HEADINGS = "App Metric >Declared >Accepted >Rated >Amount >Posted >Journal".split()


def control_table(
    comparison: Comparison, control: Mapping, right: Mapping[tuple[str, str], Figure]
) -> str:
    """Each link of each window is what the file comes to; sums by app and metric.

    :param control: `lines`, each of a customer and metric, and `balances`: see
        `trial_balance`
    :param right: (customer, metric) -> what it must be all along the chain
    """
    sums: dict = defaultdict(lambda: defaultdict(Decimal))
    waiting = dict(right)
    for line in control["lines"]:
        figure = waiting.pop((line["customer"], line["metric"]), ZERO)
        what = f"control totals of {line['customer']}, {line['metric']}"
        for name in QUANTITIES:
            found = Decimal(line[name])
            comparison.check(f"{what}: {name}", found, figure.quantity, number)
        for name in AMOUNTS:
            comparison.check(
                f"{what}: {name}", Decimal(line[name]), figure.amount, money
            )
        comparison.check(f"{what}: state", line["state"], "agrees")
        for name in QUANTITIES + AMOUNTS:
            sums[line["app"], line["metric"]][name] += Decimal(line[name])
    for customer, metric in waiting:
        comparison.check(f"control totals of {customer}, {metric}", "absent", "there")
    rows = [
        [
            app,
            metric,
            *(number(found[name]) for name in QUANTITIES),
            *(money(found[name]) for name in AMOUNTS),
        ]
        for (app, metric), found in sorted(sums.items())
    ]
    total = sum((figure.amount for figure in right.values()), Decimal(0))
    return "\n\n".join(
        [
            table(HEADINGS, rows),
            trial_balance(comparison, control["balances"], total),
        ]
    )


def trial_balance(
    comparison: Comparison, balances: Mapping[str, Mapping[str, str]], total: Decimal
) -> str:
    """The month has its revenue on its last day, though it is invoiced on the next.

    The accrual stands against it until then. The invoices then bring the revenue once
    more, and the reversal takes that of the accrual back.

    :param balances: account -> balance at the `month_end`, and `now`; debits above zero
    :param total: what the usage of the month comes to
    """
    right = {
        ("revenue", "month_end"): -total,
        ("revenue", "now"): -total,
        ("accrued", "month_end"): total,
        ("accrued", "now"): Decimal(0),
    }
    found = {
        (account, when): comparison.check(
            f"trial balance, {account}, {when}",
            Decimal(balances[account][when]),
            balance,
            money,
        )
        for (account, when), balance in right.items()
    }
    return table(
        ["Trial balance", ">Last day of the month", ">Invoiced, accrual reversed"],
        [
            [name, found[account, "month_end"], found[account, "now"]]
            for name, account in (("Accrued usage", "accrued"), ("Usage", "revenue"))
        ],
    )
