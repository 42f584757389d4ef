from odoo import fields, models
from odoo.tools import SQL

from ..subscription.timeline import CHURNED, PAUSED, RENEWED, RUNNING


class FusionBillingAuditOutbox(models.AbstractModel):
    """I10: what the source apps were told, and that it is so."""

    _name = "fusion.billing.audit.outbox"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of Webhook Events"

    # -- I10: every business event has its outbox row --------------------------

    def _check_i10(self, scope):
        return self._count(self._closed_ratings(scope, SQL("count(*)"))), [
            self._found("rating_not_told", self._untold_ratings(scope)),
            self._found("told_of_nothing", self._told_of_nothing(scope)),
            self._found("invoice_not_told", self._untold_invoices(scope)),
            self._found("subscription_not_told", self._untold_states(scope)),
        ]

    def _services(self):
        """``told``: the services that hear of a subscription (SQL, after WITH).

        ``since``: only later events can be asked for. Older ones may be deleted from
        the outbox, or the app had not chosen them then. An order with a service of its
        own is told to that one alone; any other, to all that its customer is linked to.
        """
        return SQL(
            """
            told AS (
                SELECT o.id AS order_id, o.fc_service_id AS service_id,
                       greatest(s.create_date, e.webhook_types_since, %(kept)s) AS since
                  FROM sale_order o
                  JOIN fusion_billing_service s ON s.id = o.fc_service_id
                  JOIN fusion_billing_webhook_endpoint e
                    ON e.id = s.webhook_endpoint_id
                 UNION ALL
                SELECT o.id, s.id,
                       max(greatest(s.create_date, k.create_date, e.webhook_types_since,
                                    %(kept)s))
                  FROM sale_order o
                  JOIN res_partner p ON p.id = o.partner_id
                  JOIN fusion_billing_account_link k
                    ON k.partner_id IN (p.id, p.commercial_partner_id)
                  JOIN fusion_billing_service s
                    ON s.id = k.service_id AND s.company_id = o.company_id
                  JOIN fusion_billing_webhook_endpoint e
                    ON e.id = s.webhook_endpoint_id
                 WHERE o.fc_service_id IS NULL AND o.is_subscription
                 GROUP BY o.id, s.id
            )
            """,
            kept=fields.Datetime.to_datetime(
                self.env["fusion.billing.webhook"]._kept_since()
            ),
        )

    def _wants(self, event_type):
        """Whether the service ``t.service_id`` is told of a type of event (SQL)."""
        Endpoint = self.env["fusion.billing.webhook.endpoint"]
        chosen = Endpoint._fields["webhook_type_ids"]
        chosen_of_service = SQL(
            "SELECT c.%s AS type_id FROM %s c JOIN fusion_billing_service s"
            " ON s.webhook_endpoint_id = c.%s WHERE s.id = t.service_id",
            SQL.identifier(chosen.column2),
            SQL.identifier(chosen.relation),
            SQL.identifier(chosen.column1),
        )
        return SQL(
            """
            (NOT EXISTS (%(chosen)s)
             OR EXISTS (SELECT FROM (%(chosen)s) c
                          JOIN fusion_billing_webhook_type y ON y.id = c.type_id
                         WHERE y.code = %(event_type)s))
            """,
            chosen=chosen_of_service,
            event_type=event_type,
        )

    def _closed_ratings(self, scope, columns):
        return SQL(
            """
            WITH %s
            SELECT %s
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
              JOIN fusion_billing_metric m ON m.id = r.metric_id
              JOIN told t ON t.order_id = o.id AND t.since <= r.closed_at
             WHERE r.closed_at IS NOT NULL AND %s AND %s
            """,
            self._services(),
            columns,
            self._wants("rating.closed"),
            scope,
        )

    def _untold_ratings(self, scope):
        """Ratings that rating.closed does not name, or names more often than once.

        Each is told once, however often its invoice is posted.
        """
        return SQL(
            """
            SELECT closed.*, closed.number::text AS expected,
                   coalesce(told.number, 0)::text AS found
              FROM (SELECT subscription_id, service_id, metric_id, code, window_start,
                           window_end, revision, count(*) AS number,
                           min(rating_id) AS rating_id, min(move_id) AS move_id
                      FROM (%s) c
                     GROUP BY subscription_id, service_id, metric_id, code,
                              window_start, window_end, revision) closed
              LEFT JOIN (
                   SELECT w.service_id, (data->>'subscription_id')::int AS order_id,
                          rating->>'metric' AS code,
                          (rating->>'window_start')::timestamptz AT TIME ZONE 'UTC'
                          AS window_start,
                          (rating->>'revision')::int AS revision, count(*) AS number
                     FROM (SELECT service_id, payload::jsonb->'data' AS data
                             FROM fusion_billing_webhook
                            WHERE event_type = 'rating.closed') w
                    CROSS JOIN LATERAL jsonb_array_elements(data->'ratings') rating
                    GROUP BY 1, 2, 3, 4, 5) told
                ON told.service_id = closed.service_id
               AND told.order_id = closed.subscription_id AND told.code = closed.code
               AND told.window_start = closed.window_start
               AND told.revision = closed.revision
             WHERE coalesce(told.number, 0) <> closed.number
            """,
            self._closed_ratings(
                scope,
                SQL(
                    """
                    r.subscription_id, t.service_id, r.metric_id, m.code,
                    r.window_start, r.window_end, r.revision, r.id AS rating_id,
                    r.invoice_id AS move_id
                    """
                ),
            ),
        )

    def _told_of_nothing(self, scope):
        """Closed ratings that an app was told of, and that are not there (any more)."""
        return SQL(
            """
            SELECT o.id AS subscription_id, w.service_id, m.id AS metric_id,
                   (rating->>'window_start')::timestamptz AT TIME ZONE 'UTC'
                   AS window_start,
                   (rating->>'window_end')::timestamptz AT TIME ZONE 'UTC'
                   AS window_end, rating->>'metric' AS other, '0' AS expected,
                   '1' AS found
              FROM (SELECT service_id, payload::jsonb->'data' AS data
                      FROM fusion_billing_webhook
                     WHERE event_type = 'rating.closed') w
              JOIN sale_order o ON o.id = (data->>'subscription_id')::int
             CROSS JOIN LATERAL jsonb_array_elements(data->'ratings') rating
              JOIN fusion_billing_metric m ON m.code = rating->>'metric'
               AND coalesce(m.company_id, o.company_id) = o.company_id
             WHERE %s
               AND NOT EXISTS (
                       SELECT FROM fusion_billing_rating r
                        WHERE r.subscription_id = o.id AND r.metric_id = m.id
                          AND r.window_start = (rating->>'window_start')::timestamptz
                                               AT TIME ZONE 'UTC'
                          AND r.revision = (rating->>'revision')::int
                          AND r.closed_at IS NOT NULL)
            """,
            scope,
        )

    def _untold_invoices(self, scope):
        """Invoices of subscriptions that were posted, or cancelled, without a word.

        Each posting is told, and an invoice may be posted twice: so no more than
        "at least once" can be proven here.
        """
        return SQL(
            """
            WITH %s, move AS (
                SELECT DISTINCT o.id AS subscription_id, t.service_id,
                       i.id AS move_id, i.name,
                       CASE i.state WHEN 'posted' THEN 'invoice.posted'
                       ELSE 'invoice.cancelled' END AS event_type
                  FROM account_move i
                  JOIN account_move_line l ON l.move_id = i.id
                  JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = l.id
                  JOIN sale_order_line ol ON ol.id = rel.order_line_id
                  JOIN sale_order o ON o.id = ol.order_id AND o.is_subscription
                  JOIN told t ON t.order_id = o.id AND t.since <= i.create_date
                 WHERE i.state IN ('posted', 'cancel')
                   AND i.move_type IN ('out_invoice', 'out_refund')
                   AND CASE i.state WHEN 'posted' THEN %s ELSE %s END
                   AND %s
            ), sent AS (
                SELECT DISTINCT service_id, event_type,
                       (payload::jsonb->'data'->>'invoice_id')::int AS move_id
                  FROM fusion_billing_webhook
                 WHERE event_type IN ('invoice.posted', 'invoice.cancelled')
            )
            SELECT move.subscription_id, move.service_id, move.move_id,
                   move.event_type AS other, '1' AS expected, '0' AS found
              FROM move
             WHERE NOT EXISTS (SELECT FROM sent
                                WHERE sent.move_id = move.move_id
                                  AND sent.event_type = move.event_type
                                  AND sent.service_id = move.service_id)
            """,
            self._services(),
            self._wants("invoice.posted"),
            self._wants("invoice.cancelled"),
            scope,
        )

    def _untold_states(self, scope):
        """Subscriptions whose apps were told last of another state, or of none."""
        return SQL(
            """
            WITH %s, sent AS (
                SELECT DISTINCT ON (service_id, order_id) *
                  FROM (SELECT id, service_id,
                               (payload::jsonb->'data'->>'subscription_id')::int
                               AS order_id,
                               payload::jsonb->'data'->>'subscription_state' AS state
                          FROM fusion_billing_webhook
                         WHERE event_type IN ('subscription.created',
                                              'subscription.updated')) w
                 ORDER BY service_id, order_id, id DESC
            )
            SELECT o.id AS subscription_id, t.service_id,
                   o.subscription_state AS expected, coalesce(sent.state, '') AS found
              FROM sale_order o
              JOIN told t ON t.order_id = o.id AND t.since <= o.create_date
              LEFT JOIN sent
                ON sent.order_id = o.id AND sent.service_id = t.service_id
             WHERE o.is_subscription AND o.subscription_state = ANY(%s)
               AND %s AND %s AND %s
               AND sent.state IS DISTINCT FROM o.subscription_state
            """,
            self._services(),
            [RUNNING, PAUSED, RENEWED, CHURNED],
            self._wants("subscription.created"),
            self._wants("subscription.updated"),
            scope,
        )
