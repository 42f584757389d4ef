from odoo import models
from odoo.tools import SQL

# How many violations of one kind are kept with a run. The others are counted.
KEPT = 1000


class FusionBillingAuditCheck(models.AbstractModel):
    """What the checks have in common: which part of the database, and the ledger.

    Each ``_check_i<N>(scope)`` returns (how many things were checked, list of what
    :meth:`_found` returns). ``scope`` is a condition on ``o``, the subscription. The
    queries read whole tables at once and give violations only: what they need of
    Odoo's memory does not grow with the usage.
    """

    _name = "fusion.billing.audit.check"
    _description = "Check of the Audit"

    def _scope(self, company=None, orders=None):
        """The condition that chooses subscriptions (SQL).

        :param company: a ``res.company``, or None for all
        :param orders: ``sale.order`` records, or None for all
        """
        conditions = [SQL("TRUE")]
        if company:
            conditions.append(SQL("o.company_id = %s", company.id))
        if orders is not None:
            conditions.append(SQL("o.id = ANY(%s)", orders.ids))
        return SQL(" AND ").join(conditions)

    def _found(self, kind, query):
        """Run a query of violations.

        :param str kind: key of :data:`~.messages.KINDS`
        :return: (kind, the first rows as dicts, how many there are)
        """
        rows = self.env.execute_query_dict(
            SQL(
                "SELECT f.*, count(*) OVER () AS total FROM (%s) f LIMIT %s",
                query,
                KEPT,
            )
        )
        return kind, rows, rows[0]["total"] if rows else 0

    def _count(self, query):
        [[count]] = self.env.execute_query(query)
        return count

    # -- what they are made of -------------------------------------------------

    def _queued(self):
        """``queued``: which usage is still to be rated (SQL, after WITH).

        ``whole``: it is not known since when, as dates or prices have changed.
        """
        return SQL(
            """
            queued AS (
                SELECT subscription_id, min(since) AS since,
                       bool_or(since IS NULL) AS whole
                  FROM fusion_billing_rating_queue GROUP BY subscription_id
            )
            """
        )

    def _ledger(self, scope):
        """Common table expressions over the ledger, to follow WITH (SQL).

        ``ledger``: each agreement with its window and its latest rating.
        ``known``: those that nothing waits for, so that they must agree with the usage.
        """
        return SQL(
            """
            %s, ledger AS (
                SELECT a.id AS agreement_id, a.window_id, a.subscription_id,
                       a.metric_id, a.charge_id, a.product_id, a.charge_currency_id,
                       a.state AS agreement_state, a.terms, a.discount, a.rate_from,
                       a.rate_to, w.start AS window_start, w."end" AS window_end,
                       w.kind, w.is_settled IS TRUE AS is_settled, w.currency_id,
                       r.id AS rating_id, coalesce(r.quantity, 0) AS quantity, r.state,
                       r.invoice_id AS move_id, r.counted
                  FROM fusion_billing_window_charge a
                  JOIN fusion_billing_window w ON w.id = a.window_id
                  JOIN sale_order o ON o.id = a.subscription_id
                  LEFT JOIN LATERAL (
                       SELECT * FROM fusion_billing_rating x
                        WHERE x.agreement_id = a.id
                        ORDER BY x.revision DESC LIMIT 1) r ON TRUE
                 WHERE %s
            ), known AS (
                SELECT l.*
                  FROM ledger l
                  LEFT JOIN queued q ON q.subscription_id = l.subscription_id
                 WHERE NOT coalesce(q.since < l.window_end, FALSE)
                   AND NOT (coalesce(q.whole, FALSE)
                            AND (NOT l.is_settled OR l.agreement_state = 'open'
                                 OR l.state = 'open'))
            )
            """,
            self._queued(),
            scope,
        )

    def _count_rated(self, scope):
        """How many rated windows agree with the usage, or should."""
        return self._count(
            SQL(
                "WITH %s SELECT count(*) FROM known WHERE rating_id IS NOT NULL",
                self._ledger(scope),
            )
        )

    def _waiting(self, scope):
        """Which subscriptions wait to be rated: theirs are not held to account.

        :return: set of ids
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT q.subscription_id
                  FROM fusion_billing_rating_queue q
                  JOIN sale_order o ON o.id = q.subscription_id
                 WHERE %s
                """,
                scope,
            )
        )
        return {order for (order,) in rows}

    def _rating_columns(self):
        """What a finding about the rating ``r`` says of it (SQL)."""
        return SQL(
            """
            r.subscription_id, r.metric_id, r.charge_id, r.window_start,
            r.window_end, r.id AS rating_id, r.invoice_id AS move_id
            """
        )

    def _ratings(self, scope, columns, condition):
        """Ratings ``r`` for which a condition holds (SQL)."""
        return SQL(
            """
            SELECT %s, %s
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
             WHERE (%s) AND %s
            """,
            self._rating_columns(),
            columns,
            condition,
            scope,
        )
