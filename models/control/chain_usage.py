from odoo import models
from odoo.tools import SQL

from ...engine.billing.aggregation import AGGREGATIONS
from ..usage.usage import MOVED

# What adds up: only of these is a part of the usage a part of the quantity.
ADDITIVE = ("sum", "count")
PLACES = ("accepted", "voided", "unallocated", "moved_out", "moved_in")


class FusionBillingControlUsage(models.AbstractModel):
    """What the apps have declared and sent, for :class:`FusionBillingControlChain`."""

    _name = "fusion.billing.control.usage"
    _description = "Control Totals: Usage"

    def _used(self, start, end):
        """``used``: what each app has sent, by what has become of it."""
        [[since]] = self.env.execute_query(
            SQL(
                "SELECT least(%s, min(start)) FROM fusion_billing_window"
                ' WHERE "end" > %s AND "end" <= %s AND kind = \'billing\'',
                start,
                start,
                end,
            )
        )
        found = SQL(
            """
              JOIN owner o ON o.id = u.subscription_id
              JOIN fusion_billing_metric m ON m.id = u.metric_id
              LEFT JOIN fusion_billing_window w
                ON w.subscription_id = u.subscription_id AND w.kind = 'billing'
               AND u.period_start >= w.start AND u.period_start < w."end"
             WHERE u.period_start >= %(since)s AND u.period_start < %(end)s
               AND (w."end" > %(start)s AND w."end" <= %(end)s
                    OR w.id IS NULL AND u.period_start >= %(start)s)
            """,
            since=since,
            start=start,
            end=end,
        )
        parts = [part for a in self._aggregations() for part in self._parts(a, found)]
        return SQL(
            """
            event AS MATERIALIZED (%s), used AS (
                SELECT subscription_id, metric_id, window_id, service_id, %s,
                       sum(events) FILTER (WHERE place = 'accepted') AS accepted_count
                  FROM event GROUP BY subscription_id, metric_id, window_id, service_id
            )
            """,
            SQL(" UNION ALL ").join(parts),
            SQL(", ").join(
                SQL(
                    "coalesce(sum(quantity) FILTER (WHERE place = %s), 0) AS %s",
                    place,
                    SQL.identifier(place),
                )
                for place in PLACES
            ),
        )

    def _parts(self, aggregation, found):
        """The events of metrics of one kind, by place; what was moved in, once more.

        :param found: joins and conditions of an event ``u`` (SQL)
        """
        columns = SQL(
            "u.subscription_id, u.metric_id, w.id AS window_id,"
            " coalesce(u.service_id, o.service_id) AS service_id"
        )
        of_it = SQL("m.aggregation = %s", aggregation.name)
        total = SQL(aggregation.sql.replace("%", "%%"))
        return [
            SQL(
                """
                SELECT %s, p.place, %s AS quantity, count(*) AS events
                  FROM fusion_billing_usage u
                  LEFT JOIN moved
                    ON moved.of_id = u.id AND moved.metric_id = u.metric_id
                 CROSS JOIN LATERAL (
                       SELECT CASE WHEN u.voided_at IS NULL AND u.unallocated IS TRUE
                                   THEN 'unallocated'
                                   WHEN u.voided_at IS NULL THEN 'accepted'
                                   WHEN moved.of_id IS NULL THEN 'voided'
                                   ELSE 'moved_out' END AS place) p
                  %s AND %s
                 GROUP BY 1, 2, 3, 4, 5
                """,
                columns,
                total,
                found,
                of_it,
            ),
            SQL(
                """
                SELECT %s, 'moved_in', %s, count(*)
                  FROM fusion_billing_usage u %s AND %s
                   AND u.voided_at IS NULL AND %s
                 GROUP BY 1, 2, 3, 4
                """,
                columns,
                total,
                found,
                of_it,
                is_moved("u"),
            ),
        ]

    def _aggregations(self):
        """The aggregations in use; an event is read by that of its metric alone."""
        Metric = (
            self.env["fusion.billing.metric"].sudo().with_context(active_test=False)
        )
        names = {name for [name] in Metric._read_group([], ["aggregation"])}
        return [a for a in AGGREGATIONS.values() if a.name in names] or [
            AGGREGATIONS["sum"]
        ]

    def _declared(self, start, end):
        """``declared``: control totals of the apps, of whole billing windows.

        Those of parts of a window count where they cover it without a gap, and their
        quantities add up. What was declared for other times is told apart.
        """
        return SQL(
            """
            told AS (
                SELECT r.*, w.id AS window_id,
                       r.window_start = w.start AND r.window_end = w."end" AS is_exact,
                       w."end" - w.start AS length,
                       m.aggregation = ANY(%(additive)s) AS adds_up
                  FROM fusion_billing_reconciliation r
                  JOIN owner o ON o.id = r.subscription_id
                  JOIN fusion_billing_metric m ON m.id = r.metric_id
                  LEFT JOIN fusion_billing_window w
                    ON w.subscription_id = r.subscription_id AND w.kind = 'billing'
                   AND r.window_start >= w.start AND r.window_end <= w."end"
                 WHERE coalesce(w."end", r.window_end) > %(start)s
                   AND coalesce(w."end", r.window_end) <= %(end)s
            ), declared AS (
                SELECT t.service_id, t.subscription_id, t.metric_id, t.window_id,
                       CASE WHEN bool_or(is_exact)
                            THEN sum(declared_quantity) FILTER (WHERE is_exact)
                            WHEN bool_and(adds_up)
                             AND sum(window_end - window_start) = min(length)
                            THEN sum(declared_quantity) END AS quantity,
                       bool_or(state = 'explained') FILTER (
                           WHERE is_exact OR is_exact IS NOT TRUE) AS is_explained
                  FROM told t
                 GROUP BY t.service_id, t.subscription_id, t.metric_id, t.window_id
            )
            """,
            additive=list(ADDITIVE),
            start=start,
            end=end,
        )


def is_moved(alias):
    """Whether an event stands for one that finance has billed here instead (SQL)."""
    return SQL(MOVED.replace("(idem", f"({alias}.idem"))
