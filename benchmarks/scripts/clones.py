"""Many records like one: rows copied by SQL, with what belongs to them.

`create` and `action_confirm` take some 50 ms for each subscription, an invoice as long.
What a benchmark measures sees rows, and does not ask how they came in.
"""

from odoo.tools import SQL

COLUMNS = """
    SELECT attname FROM pg_attribute
     WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
       AND attgenerated = ''
"""
# column -> table it refers to, of foreign keys with one column
REFERENCES = """
    SELECT a.attname, c.confrelid::regclass::text
      FROM pg_constraint c
      JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     WHERE c.contype = 'f' AND c.conrelid = %s::regclass
"""


class Cloner:
    """Copies rows of one table after the other.

    A foreign key to a row that was copied before, or in the same step, refers to its
    copy with the same number; any other one is kept.
    """

    def __init__(self, cr, count):
        """:param int count: copies of each row, numbered from 1"""
        self.cr = cr
        self.count = count
        self.maps = {}  # table -> name of a temporary table (old, number, new)

    def rows(self, table, ids, **values):
        """Copy the rows with these ids.

        :param values: column -> SQL expression, where `t` is the row that is copied
            and `m.number` the number of the copy
        """
        name = f"clones_{table}"
        self.cr.execute(
            SQL(
                "DROP TABLE IF EXISTS %(name)s; CREATE TEMP TABLE %(name)s AS"
                " SELECT t.id AS old, number, nextval(%(sequence)s)::int AS new"
                "   FROM %(table)s t, generate_series(1, %(count)s) number"
                "  WHERE t.id = ANY(%(ids)s)",
                name=SQL.identifier(name),
                table=SQL.identifier(table),
                sequence=f"{table}_id_seq",
                count=self.count,
                ids=list(ids),
            )
        )
        self.maps[table] = name
        self._insert(table, f"{name} m JOIN {table} t ON t.id = m.old", values)

    def links(self, table, column, to):
        """Copy the rows of a relation table that belong to copied rows.

        :param str column: refers to `to`, a table whose rows were copied
        """
        joined = f"{self.maps[to]} m JOIN {table} t ON t.{column} = m.old"
        self._insert(table, joined, {})

    def _insert(self, table, source, values):
        self.cr.execute(REFERENCES, [table])
        references = dict(self.cr.fetchall())
        self.cr.execute(COLUMNS, [table])
        columns, expressions, joins = [], [], []
        for [column] in self.cr.fetchall():
            columns.append(f'"{column}"')
            copies = self.maps.get(references.get(column))
            if column == "id":
                expressions.append("m.new")
            elif column in values:
                expressions.append(values[column])
            elif copies:
                alias = f"m_{column}"
                joins.append(
                    f" LEFT JOIN {copies} {alias} ON {alias}.old = t.{column}"
                    f" AND {alias}.number = m.number"
                )
                expressions.append(f"coalesce({alias}.new, t.{column})")
            else:
                expressions.append(f't."{column}"')
        self.cr.execute(
            f"INSERT INTO {table} ({', '.join(columns)})"
            f" SELECT {', '.join(expressions)} FROM {source}{''.join(joins)}"
        )
