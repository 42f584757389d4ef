"""How much each subscription uses: one rule for every side of a benchmark.

It must be arithmetic that a formula field can do as well: the other side gets the same
quantities from a line of Python that reads no table.
"""

from __future__ import annotations

INCLUDED = 100  # units a month that are free
METRICS = ("requests", "storage", "messages")
UNIT_PRICES = (0.5, 0.25, 0.2)
FACTORS = (31, 17, 7)  # of the subscription, the metric, the month
SPREAD = 97


def month_number(year: int, month: int) -> int:
    return year * 12 + month


def billable(seed: int, number: int, metric: int, month: int) -> int:
    """Units beyond those included.

    :param number: which subscription, from 0
    :param metric: which metric, from 0
    :param month: `month_number` of the invoice
    """
    by_order, by_metric, by_month = FACTORS
    mixed = seed + number * by_order + metric * by_metric + month * by_month
    return 1 + mixed % SPREAD


def formula(seed: int) -> str:
    """`billable` as the code of a formula that sees `line` and `invoice_date`.

    The contract's code is the subscription's number, the line's sequence the metric's.
    """
    by_order, by_metric, by_month = FACTORS
    return (
        "month = invoice_date and invoice_date.year * 12 + invoice_date.month or 0\n"
        f"mixed = {seed} + int(line.contract_id.code) * {by_order}"
        f" + line.sequence * {by_metric} + month * {by_month}\n"
        f"result = 1 + mixed % {SPREAD}"
    )


def split(total: int, parts: int) -> list[int]:
    """`total` as that many whole quantities, the events of one month."""
    whole, rest = divmod(total, parts)
    return [whole + (index < rest) for index in range(parts)]
