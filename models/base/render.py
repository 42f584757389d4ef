"""Values of Odoo's fields as the shapes of answers have them, and ends of pages."""

from decimal import Decimal

from ...engine.api.cursor import encode_cursor
from ...engine.api.query import DEFAULT_LIMIT
from ...engine.billing import money


def number(value):
    """The value of a float field as the decimal it prints as."""
    return money.to_decimal(value)


def amount(currency, value):
    """An amount with as many decimals as its currency has: 15.00."""
    return Decimal(f"{value:.{currency.decimal_places}f}")


def page_end(kind, ids, query, looked_at=None):
    """Where a page ends, and whether another one follows.

    :param str kind: which list
    :param list ids: of the items found, one more than the limit where there are more
    :param dict query: the request's ``limit`` and ``cursor``
    :param looked_at: where not the whole list was looked at: (the id up to which it
        was, whether it goes on after that)
    """
    limit = query.get("limit", DEFAULT_LIMIT)
    position = ids[:limit][-1] if ids else query.get("cursor")
    more = len(ids) > limit
    if looked_at and not more:
        end, more = looked_at
        position = max(position or 0, end)
    return {
        "has_more": more,
        "next_cursor": None if position is None else encode_cursor(kind, position),
    }
