from odoo import models
from odoo.tools import SQL

from ..engine.billing.aggregation import SQL_EXPRESSION

# Subscriptions whose spans are asked for at once.
BATCH = 1000


class FusionBillingAudit(models.Model):
    """I1, I2, I4 and I5 as far as they are about the events themselves."""

    _inherit = "fusion.billing.audit"

    # -- I1: every acknowledged event exists exactly once ----------------------

    def _check_i1(self, scope):
        count = self._count(
            SQL(
                """
                SELECT count(*) FROM fusion_billing_usage u
                  JOIN sale_order o ON o.id = u.subscription_id WHERE %s
                """,
                scope,
            )
        )
        # The unique index does not allow it; an index can be damaged or lost.
        twice = SQL(
            """
            SELECT u.subscription_id, u.metric_id, u.idempotency_key AS other,
                   '1' AS expected, count(*)::text AS found,
                   min(u.id) AS usage_ref, min(u.period_start) AS window_start
              FROM fusion_billing_usage u
              JOIN sale_order o ON o.id = u.subscription_id
             WHERE %s AND u.idempotency_key IS NOT NULL
             GROUP BY u.subscription_id, u.metric_id, u.idempotency_key
            HAVING count(*) > 1
            """,
            scope,
        )
        invalid = SQL(
            """
            SELECT u.subscription_id, u.metric_id, u.id AS usage_ref,
                   u.period_start AS window_start, u.quantity::text AS found
              FROM fusion_billing_usage u
              JOIN sale_order o ON o.id = u.subscription_id
             WHERE %s AND (u.quantity < 0 OR u.quantity >= 1e16
                           OR u.period_end < u.period_start)
            """,
            scope,
        )
        nameless = SQL(
            """
            SELECT u.subscription_id, u.metric_id, u.id AS usage_ref,
                   u.period_start AS window_start, u.quantity::text AS found
              FROM fusion_billing_usage u
              JOIN sale_order o ON o.id = u.subscription_id
             WHERE %s AND (u.idempotency_key IS NULL OR u.fingerprint IS NULL)
            """,
            scope,
        )
        renewed = SQL(
            """
            SELECT u.subscription_id, u.metric_id, u.idempotency_key AS other,
                   u.id AS usage_ref, u.period_start AS window_start,
                   '1' AS expected, '2' AS found
              FROM sale_order o
              JOIN fusion_billing_usage u ON u.subscription_id = o.id
              JOIN fusion_billing_usage old
                ON old.subscription_id = o.subscription_id
               AND old.metric_id = u.metric_id
               AND old.idempotency_key = u.idempotency_key
               AND old.fingerprint = u.fingerprint
             WHERE %s AND u.voided_at IS NULL AND u.unallocated IS NOT TRUE
               AND old.voided_at IS NULL AND old.unallocated IS NOT TRUE
            """,
            scope,
        )
        return count, [
            self._found("event_twice", twice),
            self._found("event_invalid", invalid),
            self._found("event_nameless", nameless),
            self._found("event_on_renewal_too", renewed),
            self._found("event_lost", self._lost_events(scope)),
        ]

    def _lost_events(self, scope):
        """Days on which the API acknowledged more events than there are.

        The log is written with the events. It holds each request of the days it is
        kept for, or fewer; usage recorded in Odoo itself is not in it. So more events
        than it says prove nothing, fewer do.
        """
        # A request's events are stamped when they are stored, its log entry at its
        # end: what began before midnight may count to the day before.
        return SQL(
            """
            WITH day AS (
                SELECT l.service_id, date_trunc('day', l.called_at) AS day,
                       sum(l.accepted) AS acknowledged,
                       min(l.called_at - l.duration_ms * interval '1 millisecond')
                       AS since
                  FROM fusion_billing_api_log l
                 WHERE l.method = 'POST' AND l.route = '/usage' AND l.accepted > 0
                   AND EXISTS (SELECT FROM fusion_billing_service s
                               JOIN sale_order o ON o.company_id = s.company_id
                               WHERE s.id = l.service_id AND %s)
                 GROUP BY l.service_id, date_trunc('day', l.called_at)
            ), stored AS (
                SELECT u.service_id, date_trunc('minute', u.received_at) AS minute,
                       count(*) AS events
                  FROM fusion_billing_usage u
                 WHERE u.received_at >= (SELECT min(day) FROM day) - interval '1 day'
                   AND u.service_id IS NOT NULL
                 GROUP BY u.service_id, date_trunc('minute', u.received_at)
            )
            SELECT day.service_id, day.day AS window_start,
                   day.acknowledged::text AS expected,
                   coalesce(sum(stored.events), 0)::text AS found
              FROM day
              LEFT JOIN stored
                ON stored.service_id = day.service_id
               AND stored.minute >= least(day.day, day.since) - interval '2 minutes'
               AND stored.minute < day.day + interval '1 day'
             GROUP BY day.service_id, day.day, day.acknowledged
            HAVING day.acknowledged > coalesce(sum(stored.events), 0)
            """,
            scope,
        )

    # -- I2: accepted = billed + open + unallocated + voided -------------------

    def _check_i2(self, scope):
        count = self._count_windows(scope)
        self._list_spans(scope)
        found = self._wrong_quantities(scope)
        found.append(self._found("flagged_but_billed", self._wrongly_flagged(scope)))
        found.append(self._found("not_rated", self._never_rated(scope)))
        found.append(self._found("in_no_window", self._unflagged(scope, between=False)))
        return count, found

    def _wrong_quantities(self, scope):
        """Windows whose latest row does not say what their usage comes to."""
        return [
            self._found(
                "quantity",
                SQL(
                    """
                    WITH %s
                    SELECT s.subscription_id, s.metric_id, s.charge_id,
                           s.window_start, s.window_end, s.id AS rating_id,
                           s.invoice_id AS move_id,
                           trim_scale(e.quantity)::text AS expected,
                           trim_scale(s.quantity)::text AS found
                      FROM settled s
                      JOIN fusion_billing_metric m
                        ON m.id = s.metric_id AND m.aggregation = %s
                     CROSS JOIN LATERAL (
                           SELECT %s AS quantity
                             FROM fusion_billing_usage u
                            WHERE u.subscription_id = s.subscription_id
                              AND u.metric_id = s.metric_id
                              AND u.period_start >= s.window_start
                              AND u.period_start < s.window_end
                              AND u.voided_at IS NULL) e
                     WHERE NOT s.superseded
                       AND e.quantity IS DISTINCT FROM s.quantity
                    """,
                    self._ledger(scope),
                    aggregation,
                    SQL(expression.replace("%", "%%")),
                ),
            )
            for aggregation, expression in SQL_EXPRESSION.items()
        ]

    def _list_spans(self, scope):
        """Write down the time that each subscription will still invoice.

        Only the order itself knows; the checks that follow join it as a table.
        """
        cr = self.env.cr
        cr.execute("DROP TABLE IF EXISTS pg_temp.fc_audit_span")
        cr.execute(
            """
            CREATE TEMPORARY TABLE fc_audit_span (
                subscription_id int, metric_id int, start_at timestamp,
                end_at timestamp, is_now boolean
            ) ON COMMIT DROP
            """
        )
        ids = [
            order_id
            for [order_id] in self.env.execute_query(
                SQL(
                    """
                    SELECT o.id FROM sale_order o
                     WHERE %s AND EXISTS (SELECT FROM fusion_billing_usage u
                                           WHERE u.subscription_id = o.id)
                     ORDER BY o.id
                    """,
                    scope,
                )
            )
        ]
        for at in range(0, len(ids), BATCH):
            orders = self.env["sale.order"].sudo().browse(ids[at : at + BATCH])
            rows = []
            for order in orders:
                first = order._fc_open_span().start
                window = order._fc_window()
                for metric, spans in order._fc_spans_of_metrics().items():
                    rows += [
                        (
                            order.id,
                            metric,
                            span.start,
                            span.end,
                            bool(window) and span.start == first,
                        )
                        for span in spans
                        if not span.is_empty
                    ]
            if rows:
                cr.execute_values("INSERT INTO fc_audit_span VALUES %s", rows)
            orders.invalidate_recordset(flush=False)
        cr.execute("ANALYZE fc_audit_span")

    def _cover(self, scope):
        """``cover``: all time that was or will be invoiced, of each metric (SQL)."""
        return SQL(
            """
            %s, cover AS (
                SELECT subscription_id, metric_id, start_at, end_at
                  FROM fc_audit_span
                 UNION ALL
                SELECT subscription_id, metric_id, window_start, window_end
                  FROM ledger WHERE NOT superseded
            )
            """,
            self._ledger(scope),
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
             WHERE u.unallocated AND u.voided_at IS NULL AND %s
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

    def _never_rated(self, scope):
        """Usage of open windows that no rating knows, nor the queue."""
        return SQL(
            """
            WITH %s
            SELECT s.subscription_id, s.metric_id, s.start_at AS window_start,
                   s.end_at AS window_end, count(*)::text AS expected, '0' AS found
              FROM fc_audit_span s
              JOIN fusion_billing_metric m ON m.id = s.metric_id
              JOIN fusion_billing_usage u
                ON u.subscription_id = s.subscription_id
               AND u.metric_id = s.metric_id AND u.voided_at IS NULL
               AND u.period_start >= s.start_at AND u.period_start < s.end_at
             WHERE s.is_now
               AND NOT EXISTS (SELECT FROM queued q
                                WHERE q.subscription_id = s.subscription_id)
               AND NOT EXISTS (SELECT FROM ledger l
                                WHERE l.subscription_id = s.subscription_id
                                  AND l.metric_id = s.metric_id AND NOT l.superseded
                                  AND l.window_start < s.end_at
                                  AND l.window_end > s.start_at)
             GROUP BY s.subscription_id, s.metric_id, s.start_at, s.end_at,
                      m.aggregation
            HAVING CASE m.aggregation
                   WHEN 'count' THEN TRUE
                   WHEN 'unique' THEN count(u.unique_key) > 0
                   WHEN 'last' THEN (array_agg(u.quantity ORDER BY u.period_start DESC,
                                               u.id DESC))[1] > 0
                   ELSE max(u.quantity) > 0 END
            """,
            self._ledger(scope),
        )

    def _unflagged(self, scope, between):
        """Usage that lies in no window, and is not said to.

        :param bool between: in a gap between two windows (I5), or else before the
            first one, after the last one, or of a metric without any (I2)
        """
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
                       coalesce(covered, '-infinity') AS start_at,
                       covered IS NOT NULL AS between
                  FROM ordered WHERE covered IS NULL OR start_at > covered
                 UNION ALL
                SELECT subscription_id, metric_id, 'infinity', max(end_at), FALSE
                  FROM cover GROUP BY subscription_id, metric_id
                 UNION ALL
                SELECT used.subscription_id, used.metric_id, 'infinity', '-infinity',
                       FALSE
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
             WHERE g.between = %s
               AND (q.subscription_id IS NULL
                    OR (NOT q.whole AND u.period_start < q.since))
             GROUP BY g.subscription_id, g.metric_id, g.start_at
            """,
            self._cover(scope),
            scope,
            between,
        )

    # -- I4: accepted events are immutable -------------------------------------

    def _changed_events(self, scope):
        """Events whose content is not what their fingerprint was made of.

        The same text as engine/events.py ``content_fingerprint`` makes.
        """
        return SQL(
            """
            SELECT * FROM (
                SELECT u.subscription_id, u.metric_id, u.id AS usage_ref,
                       u.period_start AS window_start, u.period_end AS window_end,
                       u.quantity::text AS other, u.fingerprint AS expected,
                       left(encode(sha256(convert_to(
                           trim_scale(u.quantity)::text || '|'
                           || to_char(u.period_start, 'YYYY-MM-DD"T"HH24:MI:SS')
                           || CASE WHEN date_trunc('second', u.period_start)
                                        = u.period_start THEN ''
                                   ELSE to_char(u.period_start, '.US') END || '|'
                           || to_char(u.period_end, 'YYYY-MM-DD"T"HH24:MI:SS')
                           || CASE WHEN date_trunc('second', u.period_end)
                                        = u.period_end THEN ''
                                   ELSE to_char(u.period_end, '.US') END || '|'
                           || coalesce('=' || u.unique_key, ''), 'UTF8')), 'hex'), 32)
                       AS found
                  FROM fusion_billing_usage u
                  JOIN sale_order o ON o.id = u.subscription_id
                 WHERE u.fingerprint IS NOT NULL AND %s
            ) e WHERE e.expected <> e.found
            """,
            scope,
        )
