"""How the API writes values: instants, days, quantities, amounts, pages."""

from odoo import fields

from ...engine.api.cursor import encode_cursor
from ...engine.api.query import DEFAULT_LIMIT
from ...engine.billing import money


def iso_instant(moment):
    """A naive UTC datetime as text with its zone; None for none."""
    return f"{moment.isoformat()}Z" if moment else None


def iso_day(day):
    """A date as YYYY-MM-DD; None for none."""
    return fields.Date.to_string(day) or None


def decimal_text(value):
    """A number of a float field as the decimal it prints as."""
    return money.format_decimal(money.to_decimal(value))


def amount_text(currency, amount):
    """An amount with the decimals of its currency: "15.00"."""
    return f"{amount:.{currency.decimal_places}f}"


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
