"""Rows of the queries, as exact values."""

import json
from collections import namedtuple
from fractions import Fraction

from second_opinion.arithmetic import Terms

Window = namedtuple(
    "Window",
    "order start id end first_day end_day zone kind is_settled plan rounding company",
)
Agreement = namedtuple(
    "Agreement", "order id window metric charge state terms rate_from rate_to discount"
)
Rating = namedtuple(
    "Rating",
    "order agreement revision id state quantity amount terms rate_from rate_to discount"
    " put start end line line_state name invoice invoice_state move position",
)
Item = namedtuple(
    "Item",
    "id source move reverses state kind again name price quantity discount subtotal"
    " amount balance rounding own_rounding is_own currency move_currency rate taxed"
    " account",
)


def agreement_of(values):
    return numbers_of(Agreement(*values))


def rating_of(values):
    row = Rating(*values)
    return numbers_of(row)._replace(
        quantity=Fraction(row.quantity or 0),
        amount=Fraction(row.amount or 0),
        put=Fraction(row.put or 0),
    )


def item_of(row):
    item = Item(*row)
    numbers = {
        name: Fraction(getattr(item, name))
        for name in (
            "price quantity discount subtotal amount balance rounding own_rounding rate"
        ).split()
    }
    return item._replace(source=item.source or 0, **numbers)


def numbers_of(row):
    return row._replace(
        terms=terms_of(row.terms),
        rate_from=row.rate_from and Fraction(row.rate_from),
        rate_to=row.rate_to and Fraction(row.rate_to),
        discount=Fraction(row.discount),
    )


def terms_of(text):
    """The agreed price, as it was kept; None: there is none."""
    if text is None:
        return None
    get = json.loads(text).get
    return Terms(
        model=get("model"),
        quota=Fraction(get("quota")),
        price=Fraction(get("unit_price")),
        batch=Fraction(get("unit_batch")),
        minimum=Fraction(get("minimum", 0)),
        tiers=tuple(
            (
                None if tier["up_to"] is None else Fraction(tier["up_to"]),
                Fraction(tier["unit_price"]),
                Fraction(tier["flat_fee"]),
            )
            for tier in get("tiers", ())
        ),
    )


def stream(connection, name, query):
    """Rows of a query, a few thousand in memory at a time."""
    cursor = connection.cursor(name)
    cursor.itersize = 5000
    cursor.execute(query)
    return cursor


class Groups:
    """A stream in order of its first columns, taken group by group."""

    def __init__(self, rows):
        self.rows = iter(rows)
        self.next = next(self.rows, None)

    def take(self, key):
        """Yield the rows that begin with the key; those of earlier keys are skipped."""
        while self.next is not None and self.next[: len(key)] <= key:
            row, self.next = self.next, next(self.rows, None)
            if row[: len(key)] == key:
                yield row


def shown(number):
    """As a decimal, where it has an end."""
    text = f"{float(number):.10f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == number else str(number)
