from datetime import datetime

from odoo import api, fields, models
from odoo.tools import SQL

# Any two-part lock number of ours; see _claim.
_LOCK = 0x46434252

_NOT_RATED = ("1_draft", "2_renewal")


class FusionBillingRatingQueue(models.Model):
    """Which subscriptions have to be rated again, and from when on.

    Rows are only added and, by the rating that has seen them, deleted. They are
    written in the transaction of the change itself: whoever sees the row sees the
    change, and an event that is committed beside a rating is left for the next one.
    No two of those who add ever wait for each other.
    """

    _name = "fusion.billing.rating.queue"
    _description = "Rating Queue"
    _inherit = ["fusion.billing.guarded"]
    _log_access = False

    subscription_id = fields.Many2one(
        "sale.order", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="subscription_id.company_id")
    since = fields.Datetime(
        readonly=True,
        help="Usage from then on has changed. Empty: from the open billing window on.",
    )
    event_count = fields.Integer(
        string="Events",
        readonly=True,
        help="How many events arrived or were voided. 0: something else changed.",
    )
    recheck = fields.Boolean(
        readonly=True,
        help="Dates, plan or prices have changed, so the usage may belong to other "
        "billing windows now.",
    )

    _of_subscription = models.Index("(subscription_id, id)")

    def _add(self, orders, since=None):
        """Have subscriptions rated again whose dates, plan or prices have changed.

        :param orders: ``sale.order`` records
        :param since: naive UTC for each of them, or one for all; None: from the open
            window on
        """
        if orders:
            each = since if isinstance(since, list) else [since] * len(orders)
            self.env.cr.execute(
                "INSERT INTO fusion_billing_rating_queue (subscription_id, since, "
                "recheck) SELECT *, true FROM unnest(%s::int[], %s::timestamp[])",
                [orders.ids, each],
            )

    def _add_usage(self, since_of, counts=None):
        """Have subscriptions rated again whose usage has changed.

        :param dict since_of: order id -> the earliest ``period_start`` that changed
        :param dict counts: order id -> how many events came in or were voided; None:
            the same events belong elsewhere
        """
        if since_of:
            counts = counts or {}
            self.env.cr.execute(
                "INSERT INTO fusion_billing_rating_queue (subscription_id, since, "
                "event_count, recheck) SELECT *, false"
                "  FROM unnest(%s::int[], %s::timestamp[], %s::int[])",
                [
                    list(since_of),
                    list(since_of.values()),
                    [counts.get(order_id, 0) for order_id in since_of],
                ],
            )

    @api.model
    def _events_waiting(self, order_ids):
        """What is in the queue of these subscriptions.

        :return: dict of those that wait, order id -> number of events (int)
        """
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT subscription_id, coalesce(sum(event_count), 0)::int
                      FROM fusion_billing_rating_queue
                     WHERE subscription_id = ANY(%s) GROUP BY subscription_id
                    """,
                    list(order_ids),
                )
            )
        )

    def _take(self, orders):
        """Delete the rows of these subscriptions, and say what was in them.

        :return: two dicts, order id -> naive UTC: since when usage changed, and since
            when its allocation has to be checked; ``datetime.max`` is the open window
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH taken AS (
                    DELETE FROM fusion_billing_rating_queue
                     WHERE subscription_id = ANY(%s)
                    RETURNING subscription_id, since, recheck
                )
                SELECT subscription_id, min(since),
                       bool_or(recheck),
                       min(since) FILTER (WHERE recheck)
                  FROM taken GROUP BY subscription_id
                """,
                orders.ids,
            )
        )
        dirty = {order_id: since or datetime.max for order_id, since, *_rest in rows}
        rechecked = {
            order_id: since or datetime.max
            for order_id, _since, recheck, since in rows
            if recheck
        }
        return dirty, rechecked

    @api.model
    def _changed_since(self, orders):
        """What :meth:`_take` would say of usage, leaving the rows where they are.

        :return: dict order id -> naive UTC since when usage of it has changed
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT subscription_id, min(since) FROM fusion_billing_rating_queue"
                " WHERE subscription_id = ANY(%s) GROUP BY subscription_id",
                orders.ids,
            )
        )
        return {order_id: since or datetime.max for order_id, since in rows}

    @api.model
    def _waiting(self):
        """Ids of the orders that wait, in the order in which they are to be rated.

        The oldest change comes first. The apps take turns, with an order each: none
        waits until all that another one has sent is rated.

        From one order to the next in the index, as there can be hundreds of rows of
        each: one from every request.
        """
        self.env["sale.order"].flush_model(["subscription_state", "fc_service_id"])
        return [
            order_id
            for [order_id] in self.env.execute_query(
                SQL(
                    """
                    WITH RECURSIVE queued AS (
                        (SELECT subscription_id, id FROM fusion_billing_rating_queue
                          ORDER BY subscription_id, id LIMIT 1)
                         UNION ALL
                        SELECT following.* FROM queued CROSS JOIN LATERAL (
                               SELECT q.subscription_id, q.id
                                 FROM fusion_billing_rating_queue q
                                WHERE q.subscription_id > queued.subscription_id
                                ORDER BY q.subscription_id, q.id LIMIT 1) following
                    )
                    SELECT o.id
                      FROM queued JOIN sale_order o ON o.id = queued.subscription_id
                     WHERE coalesce(o.subscription_state, '') <> ALL(%s)
                     ORDER BY row_number() OVER (PARTITION BY o.fc_service_id
                                                     ORDER BY queued.id), queued.id
                    """,
                    list(_NOT_RATED),
                )
            )
        ]

    @api.model
    def _claim(self, order_ids):
        """Those of these orders that still wait, and that no other transaction rates.

        Call it first in a transaction: what an earlier holder has committed must be
        seen. Where it is not, PostgreSQL refuses the writes, and nothing is lost.

        :return: ``sale.order`` records
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM (
                    SELECT o.id FROM unnest(%s) AS o(id)
                     WHERE EXISTS (SELECT FROM fusion_billing_rating_queue q
                                    WHERE q.subscription_id = o.id)
                    OFFSET 0 -- whoever asks locks what is in here, and nothing else
                    ) waiting
                 WHERE pg_try_advisory_xact_lock(%s, id)
                """,
                order_ids,
                _LOCK,
            )
        )
        return self.env["sale.order"].sudo().browse([order_id for [order_id] in rows])
