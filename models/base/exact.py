"""Numbers of any length, exact from the wire to the database and back."""

from decimal import Decimal

from odoo import fields
from odoo.tools import SQL


class Exact(fields.Float):
    """A decimal of any length, as ``numeric`` in the database.

    People read and type it as a float, which holds 15 digits. Code that writes a
    ``Decimal`` has every digit of it stored; :func:`read_exact` gives them back. Lists
    do not add it up: quantities of several metrics have no sum.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"digits": False, "aggregator": None} | kwargs)

    def convert_to_cache(self, value, record, validate=True):
        if isinstance(value, Decimal):
            return value
        return super().convert_to_cache(value, record, validate)

    def convert_to_column(self, value, record, values=None, validate=True):
        if isinstance(value, Decimal):
            return value
        return super().convert_to_column(value, record, values, validate)

    def convert_to_record(self, value, record):
        return float(value or 0.0)


def read_exact(record, *names):
    """The values of numeric columns of one record (tuple of Decimal).

    :param record: one stored record
    :param str names: fields with a ``numeric`` column
    """
    record.flush_recordset(names)
    [row] = record.env.execute_query(
        SQL(
            "SELECT %s FROM %s WHERE id = %s",
            SQL(", ").join(
                SQL("coalesce(%s, 0)::text", SQL.identifier(name)) for name in names
            ),
            SQL.identifier(record._table),
            record.id,
        )
    )
    return tuple(map(Decimal, row))
