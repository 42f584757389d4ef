from odoo.tools import SQL

from ...engine.postgres.text import text_array_literal


def insert_rows(env, table, types, rows, rest=""):
    """Insert many rows by one statement, not through the ORM.

    ``create()`` takes several times as long, and its floats have not enough digits for
    quantities. The rows travel as one array for each column: a list of VALUES takes
    the server as long to parse as the rows take to insert.

    :param str table: name of the table
    :param dict types: PostgreSQL type of each column, in the order of the values
    :param rows: tuples of values; the columns are as ``str()`` writes them, None: NULL
    :param rest: what follows the rows in the statement (str or ``SQL``)
    :return: list of the rows that ``rest`` returns
    """
    if not rows:
        return []
    arrays = [
        SQL(
            f"%s::{type_}[]",
            text_array_literal(
                None if value is None else str(value) for value in values
            ),
        )
        for type_, values in zip(types.values(), zip(*rows, strict=True), strict=True)
    ]
    env.cr.execute(
        SQL(
            "INSERT INTO %s (%s) SELECT * FROM unnest(%s) %s",
            SQL.identifier(table),
            SQL(", ").join(map(SQL.identifier, types)),
            SQL(", ").join(arrays),
            rest if isinstance(rest, SQL) else SQL(rest),
        )
    )
    return env.cr.fetchall() if env.cr.description else []
