from odoo import models
from odoo.tools import SQL


class FusionBillingAuditEvents(models.AbstractModel):
    """I1, and I4 as far as it is about the usage events themselves."""

    _name = "fusion.billing.audit.events"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of Usage Events"

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

    # -- I4: accepted events are immutable -------------------------------------

    def _check_i4(self, scope):
        count = self._count(
            SQL(
                """
                SELECT count(*) FROM fusion_billing_usage u
                  JOIN sale_order o ON o.id = u.subscription_id WHERE %s
                """,
                scope,
            )
        )
        return count, [
            self._found("event_changed", self._changed_events(scope)),
            self._found("events_of_settled", self._changed_since_settled(scope)),
            self._found("void_unexplained", self._unexplained_voids(scope)),
        ]

    def _changed_since_settled(self, scope):
        """Settled windows whose events are not those that were there then.

        One was changed together with its fingerprint, deleted, or moved in or away.
        """
        return SQL(
            """
            SELECT w.subscription_id, w.start AS window_start, w."end" AS window_end,
                   w.invoice_id AS move_id
              FROM fusion_billing_window w
              JOIN sale_order o ON o.id = w.subscription_id
              LEFT JOIN (%s) d ON d.window_id = w.id
             WHERE w.settled_at IS NOT NULL
               AND w.digest IS DISTINCT FROM d.digest AND %s
            """,
            self.env["fusion.billing.window"]._digests(
                SQL("w.settled_at IS NOT NULL AND w.digest IS NOT NULL")
            ),
            scope,
        )

    def _unexplained_voids(self, scope):
        """Events that were taken back by nobody, or without a reason; or half so."""
        return SQL(
            """
            SELECT u.subscription_id, u.metric_id, u.id AS usage_ref,
                   u.period_start AS window_start, u.quantity::text AS found
              FROM fusion_billing_usage u
              JOIN sale_order o ON o.id = u.subscription_id
             WHERE (u.voided_at IS NOT NULL OR u.void_reason IS NOT NULL
                    OR u.void_uid IS NOT NULL OR u.void_service_id IS NOT NULL)
               AND (u.voided_at IS NULL OR coalesce(trim(u.void_reason), '') = ''
                    OR (u.void_uid IS NULL AND u.void_service_id IS NULL))
               AND %s
            """,
            scope,
        )

    def _changed_events(self, scope):
        """Events whose content is not what their fingerprint was made of.

        The same text as engine/api/events.py ``content_fingerprint`` makes.
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
