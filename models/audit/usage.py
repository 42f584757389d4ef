from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ...engine.billing.aggregation import AGGREGATIONS

# A window that ended so long ago and was not billed was forgotten: no invoice waits
# for its usage that long.
FORGOTTEN = timedelta(days=62)


class FusionBillingAuditUsage(models.AbstractModel):
    """I2: accepted = in billing windows with a price + unallocated + voided.

    An event lies in one window of its subscription. So it is enough that every window
    says what its events come to, and every event outside says that it is.
    """

    _name = "fusion.billing.audit.usage"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of the Usage of Billing Windows"

    def _check_i2(self, scope):
        return self._count_rated(scope), [
            *self._wrong_quantities(scope),
            self._found("not_rated", self._never_rated(scope)),
            self._found("flagged_but_billed", self._wrongly_flagged(scope)),
            self._found("in_no_window", self._unflagged(scope)),
            self._found("forgotten", self._forgotten(scope)),
        ]

    # -- what a window has -----------------------------------------------------

    def _wrong_quantities(self, scope):
        """Agreements whose latest rating does not say what their usage comes to."""
        return [
            self._found(
                "quantity",
                SQL(
                    """
                    WITH %s
                    SELECT k.subscription_id, k.metric_id, k.charge_id,
                           k.window_start, k.window_end, k.rating_id, k.move_id,
                           trim_scale(e.quantity)::text AS expected,
                           trim_scale(k.quantity)::text AS found
                      FROM known k
                      JOIN fusion_billing_metric m
                        ON m.id = k.metric_id AND m.aggregation = %s
                     CROSS JOIN LATERAL (
                           SELECT %s AS quantity
                             FROM fusion_billing_usage u
                            WHERE u.subscription_id = k.subscription_id
                              AND u.metric_id = k.metric_id
                              AND u.period_start >= k.window_start
                              AND u.period_start < k.window_end
                              AND u.voided_at IS NULL
                              AND k.kind = 'billing' AND k.terms IS NOT NULL) e
                     WHERE k.rating_id IS NOT NULL
                       AND e.quantity IS DISTINCT FROM k.quantity
                    """,
                    self._ledger(scope),
                    aggregation.name,
                    SQL(aggregation.sql.replace("%", "%%")),
                ),
            )
            for aggregation in AGGREGATIONS.values()
        ]

    def _never_rated(self, scope):
        """Usage of a window that no rating knows, nor the queue."""
        return SQL(
            """
            WITH %s
            SELECT c.subscription_id, c.metric_id, c.start_at AS window_start,
                   c.end_at AS window_end, count(*)::text AS expected, '0' AS found
              FROM cover c
              JOIN fusion_billing_metric m ON m.id = c.metric_id
              JOIN fusion_billing_usage u
                ON u.subscription_id = c.subscription_id
               AND u.metric_id = c.metric_id AND u.voided_at IS NULL
               AND u.period_start >= c.start_at AND u.period_start < c.end_at
             WHERE c.window_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM queued q
                                WHERE q.subscription_id = c.subscription_id)
               AND NOT EXISTS (SELECT FROM fusion_billing_rating r
                                WHERE r.window_id = c.window_id
                                  AND r.metric_id = c.metric_id)
             GROUP BY c.subscription_id, c.metric_id, c.start_at, c.end_at,
                      m.aggregation
            HAVING CASE m.aggregation %s END > 0
            """,
            self._cover(scope),
            SQL(" ").join(
                SQL("WHEN %s THEN %s", aggregation.name, SQL(aggregation.sql))
                for aggregation in AGGREGATIONS.values()
            ),
        )

    def _forgotten(self, scope):
        """Windows that ended long ago, and that nobody has billed."""
        return SQL(
            """
            SELECT w.subscription_id, w.start AS window_start, w."end" AS window_end
              FROM fusion_billing_window w
              JOIN sale_order o ON o.id = w.subscription_id
             WHERE w.kind = 'billing' AND w.is_settled IS NOT TRUE AND w."end" < %s
               AND %s
            """,
            fields.Datetime.now() - FORGOTTEN,
            scope,
        )

    # -- what lies outside -----------------------------------------------------

    def _cover(self, scope):
        """``cover``: all time that was or will be billed, of each metric (SQL).

        Of a settled window what it has a price for; of one that is not, and of those
        to come, what the charges of its plan price. A plan that has lost all of its
        charges counts as the subscription's own.
        """
        return SQL(
            """
            %(queued)s, priced AS MATERIALIZED (
                SELECT plan_id, company_id, metric_id, date_start, date_end
                  FROM fusion_billing_charge WHERE active
            ), cover AS (
                SELECT w.subscription_id, a.metric_id, w.start AS start_at,
                       w."end" AS end_at, w.id AS window_id
                  FROM fusion_billing_window w
                  JOIN sale_order o ON o.id = w.subscription_id
                  JOIN fusion_billing_window_charge a
                    ON a.window_id = w.id AND a.terms IS NOT NULL
                 WHERE w.kind = 'billing' AND w.is_settled AND %(scope)s
                 UNION
                SELECT w.subscription_id, p.metric_id, w.start, w."end", w.id
                  FROM fusion_billing_window w
                  JOIN sale_order o ON o.id = w.subscription_id
                  JOIN priced p
                    ON p.company_id = o.company_id
                   AND p.plan_id = CASE WHEN EXISTS (
                           SELECT FROM priced x
                            WHERE x.plan_id = w.plan_id
                              AND x.company_id = o.company_id)
                       THEN w.plan_id ELSE o.plan_id END
                   AND (p.date_start IS NULL OR p.date_start <= w.first_day)
                   AND (p.date_end IS NULL OR w.first_day <= p.date_end)
                 WHERE w.kind = 'billing' AND w.is_settled IS NOT TRUE AND %(scope)s
                 UNION
                SELECT o.id, p.metric_id, coming.start_at, coming.end_at, NULL
                  FROM sale_order o
                  JOIN res_company c ON c.id = o.company_id
                 CROSS JOIN LATERAL (
                       SELECT coalesce(
                                  (SELECT max(w."end") FROM fusion_billing_window w
                                    WHERE w.subscription_id = o.id),
                                  %(first)s) AS start_at,
                              coalesce(%(last)s, 'infinity') AS end_at) coming
                  JOIN priced p
                    ON p.company_id = o.company_id AND p.plan_id = o.plan_id
                   AND (p.date_end IS NULL OR o.next_invoice_date <= p.date_end)
                 WHERE o.state = 'sale' AND o.subscription_state = '3_progress'
                   AND o.start_date IS NOT NULL AND o.next_invoice_date IS NOT NULL
                   AND coming.start_at < coming.end_at AND %(scope)s
            )
            """,
            queued=self._queued(),
            first=_midnight(SQL("coalesce(o.last_invoice_date, o.start_date)")),
            last=_midnight(SQL("o.end_date")),
            scope=scope,
        )

    def _wrongly_flagged(self, scope):
        return SQL(
            """
            WITH %s
            SELECT u.subscription_id, u.metric_id, min(u.id) AS usage_ref,
                   min(u.period_start) AS window_start,
                   max(u.period_start) AS window_end,
                   '0' AS expected, count(*)::text AS found
              FROM fusion_billing_usage u
              JOIN sale_order o ON o.id = u.subscription_id
              LEFT JOIN queued q ON q.subscription_id = u.subscription_id
             WHERE u.unallocated IS TRUE AND u.voided_at IS NULL AND %s
               AND (q.subscription_id IS NULL
                    OR (NOT q.whole AND u.period_start < q.since))
               AND EXISTS (SELECT FROM cover c
                            WHERE c.subscription_id = u.subscription_id
                              AND c.metric_id = u.metric_id
                              AND u.period_start >= c.start_at
                              AND u.period_start < c.end_at)
             GROUP BY u.subscription_id, u.metric_id
            """,
            self._cover(scope),
            scope,
        )

    def _unflagged(self, scope):
        """Usage that no window bills, and that is not said to be so."""
        # What is not covered is little, and so is the usage in it: the windows
        # themselves are not read.
        return SQL(
            """
            WITH %s, ordered AS (
                SELECT *, max(end_at) OVER (
                           PARTITION BY subscription_id, metric_id
                           ORDER BY start_at, end_at
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered
                  FROM cover
            ), gap AS (
                SELECT subscription_id, metric_id, start_at AS end_at,
                       coalesce(covered, '-infinity') AS start_at
                  FROM ordered WHERE covered IS NULL OR start_at > covered
                 UNION ALL
                SELECT subscription_id, metric_id, 'infinity', max(end_at)
                  FROM cover GROUP BY subscription_id, metric_id
                 UNION ALL
                SELECT used.subscription_id, used.metric_id, 'infinity', '-infinity'
                  FROM (SELECT DISTINCT u.subscription_id, u.metric_id
                          FROM fusion_billing_usage u
                          JOIN sale_order o ON o.id = u.subscription_id
                         WHERE %s) used
                 WHERE NOT EXISTS (SELECT FROM cover c
                                    WHERE c.subscription_id = used.subscription_id
                                      AND c.metric_id = used.metric_id)
            )
            SELECT g.subscription_id, g.metric_id, min(u.id) AS usage_ref,
                   min(u.period_start) AS window_start,
                   max(u.period_start) AS window_end,
                   '0' AS expected, count(*)::text AS found
              FROM gap g
              JOIN fusion_billing_usage u
                ON u.subscription_id = g.subscription_id
               AND u.metric_id = g.metric_id
               AND u.period_start >= g.start_at AND u.period_start < g.end_at
               AND u.voided_at IS NULL AND u.unallocated IS NOT TRUE
              LEFT JOIN queued q ON q.subscription_id = g.subscription_id
             WHERE q.subscription_id IS NULL
                OR (NOT q.whole AND u.period_start < q.since)
             GROUP BY g.subscription_id, g.metric_id, g.start_at
            """,
            self._cover(scope),
            scope,
        )


def _midnight(day):
    """The instant (naive UTC) at which a day of the company ``c`` begins (SQL)."""
    return SQL(
        "(%s)::timestamp AT TIME ZONE coalesce(c.fc_billing_tz, 'UTC')"
        " AT TIME ZONE 'UTC'",
        day,
    )
