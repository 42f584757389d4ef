from odoo import models
from odoo.tools import SQL

from .figures import EXPLAINED, FIGURES, PENDING, UNEXPLAINED

KEY = ("service_id", "metric_id", "subscription_id", "window_id", "currency_id")
FLAGS = ("is_declared", "is_declared_otherwise")


class FusionBillingControlStore(models.AbstractModel):
    """Computing and keeping the lines of a period, by one statement each.

    Not through the ORM: there can be hundreds of thousands, and quantities must not
    pass through a float.
    """

    _name = "fusion.billing.control.store"
    _description = "Keeping Control Totals"

    def _compute_lines(self):
        """Replace the lines and totals by what the figures are now."""
        self.ensure_one()
        self = self.sudo()
        self.flush_recordset()
        for table in ("fusion_billing_control_line", "fusion_billing_control_total"):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE control_id = %s",
                    SQL.identifier(table),
                    self.id,
                )
            )
        self._tell(1, 4)
        columns = (*KEY, *FLAGS, *FIGURES)
        self._insert("fusion_billing_control_line", columns, self._figures_now())
        self._tell(2, 4)
        per_total = ("service_id", "metric_id", "currency_id")
        sums = SQL(
            "SELECT %s, bool_and(is_declared) AS is_declared,"
            " bool_or(is_declared_otherwise) AS is_declared_otherwise, %s"
            " FROM fusion_billing_control_line WHERE control_id = %s GROUP BY %s",
            _names(per_total),
            SQL(", ").join(
                SQL("sum(%s) AS %s", SQL.identifier(name), SQL.identifier(name))
                for name in FIGURES
            ),
            self.id,
            _names(per_total),
        )
        columns = (*per_total, *FLAGS, *FIGURES)
        self._insert("fusion_billing_control_total", columns, sums)
        self._tell(3, 4)
        self._worst_states()
        self._forget_lines()

    def _forget_lines(self):
        """What is in memory of lines, totals and changes is not any more so."""
        for kind in ("line", "total", "change"):
            self.env[f"fusion.billing.control.{kind}"].invalidate_model(flush=False)
        self.invalidate_recordset(
            [
                name
                for name, field in self._fields.items()
                if field.type == "one2many" or (field.compute and not field.store)
            ],
            flush=False,
        )

    def _figures_now(self):
        """The query of the lines as they would be now (SQL)."""
        start, end = self._instants()
        Chain = self.env["fusion.billing.control.chain"].sudo()
        return Chain._rows(self.company_id, start, end)

    def _insert(self, table, columns, query):
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %s (control_id, company_id, state, create_uid, create_date,
                                write_uid, write_date, %s)
                SELECT %s, %s, %s, %s, now() AT TIME ZONE 'UTC',
                       %s, now() AT TIME ZONE 'UTC', %s FROM (%s) f
                """,
                SQL.identifier(table),
                _names(columns),
                self.id,
                self.company_id.id,
                _state(),
                self.env.uid,
                self.env.uid,
                _names(columns),
                query,
            )
        )

    def _worst_states(self):
        """A total is as its worst line is: sums can hide that two lines differ."""
        self.env.cr.execute(
            """
            UPDATE fusion_billing_control_total t SET state = x.state
              FROM (SELECT service_id, metric_id, currency_id,
                           (ARRAY['differs', 'pending', 'explained', 'agrees'])[min(
                               array_position(ARRAY['differs', 'pending', 'explained',
                                                    'agrees'], state::text))] AS state
                      FROM fusion_billing_control_line WHERE control_id = %s
                     GROUP BY service_id, metric_id, currency_id) x
             WHERE t.control_id = %s
               AND t.service_id IS NOT DISTINCT FROM x.service_id
               AND (t.metric_id, t.currency_id) = (x.metric_id, x.currency_id)
            """,
            [self.id, self.id],
        )

    def _compute_changes(self):
        """Note each figure that is not as it was signed."""
        self.ensure_one()
        self = self.sudo()
        self.change_ids.unlink()
        self._tell(1, 2)
        same = SQL(" AND ").join(
            SQL(
                "coalesce(s.%s, 0) = coalesce(n.%s, 0)",
                SQL.identifier(name),
                SQL.identifier(name),
            )
            for name in KEY
        )
        key = [name for name in KEY if name != "currency_id"]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO fusion_billing_control_change
                       (control_id, company_id, %(key)s, figure, signed, now,
                        difference, create_uid, create_date, write_uid, write_date)
                SELECT %(control)s, %(company)s, %(coalesced)s, f.figure,
                       f.signed, f.now, f.now - f.signed, %(uid)s,
                       now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM (SELECT * FROM fusion_billing_control_line
                         WHERE control_id = %(control)s) s
                  FULL JOIN (%(figures)s) n ON %(same)s
                 CROSS JOIN LATERAL (VALUES %(pairs)s) AS f(figure, signed, now)
                 WHERE f.signed <> f.now
                """,
                key=_names(key),
                control=self.id,
                company=self.company_id.id,
                coalesced=SQL(", ").join(
                    SQL("coalesce(s.%s, n.%s)", *(SQL.identifier(name),) * 2)
                    for name in key
                ),
                uid=self.env.uid,
                figures=self._figures_now(),
                same=same,
                pairs=SQL(", ").join(
                    SQL(
                        "(%s, coalesce(s.%s, 0), coalesce(n.%s, 0))",
                        name,
                        *(SQL.identifier(name),) * 2,
                    )
                    for name in FIGURES
                ),
            )
        )
        self._forget_lines()


def _names(columns):
    return SQL(", ").join(map(SQL.identifier, columns))


def _any(columns):
    return SQL(" OR ").join(SQL("%s <> 0", SQL.identifier(name)) for name in columns)


def _state():
    """What a row comes to, from its figures (SQL)."""
    return SQL(
        "CASE WHEN %s THEN 'differs' WHEN %s THEN 'pending'"
        " WHEN is_declared_otherwise OR %s THEN 'explained' ELSE 'agrees' END",
        _any(UNEXPLAINED),
        _any(PENDING),
        _any(EXPLAINED),
    )
