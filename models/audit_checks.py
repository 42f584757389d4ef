from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

# How many violations of one kind are kept with a run. The others are counted.
KEPT = 1000


class FusionBillingAudit(models.Model):
    """What the checks have in common: which part of the database, and the ledger.

    Each ``_check_i<N>(scope)`` returns (how many things were checked, list of what
    :meth:`_found` returns). ``scope`` is a condition on ``o``, the subscription. The
    queries read whole tables at once and give violations only: what they need of
    Odoo's memory does not grow with the usage.
    """

    _inherit = "fusion.billing.audit"

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

        :param str kind: key of :data:`~.audit_messages.KINDS`
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

    def _ledger(self, scope):
        """Common table expressions over the ledger, to follow WITH (SQL).

        ``ledger``: the latest row of each (subscription, charge, window), with what
        its rows have billed or will (``live``), and whether what is billed says at
        which price (``agreed``).
        ``queued``: which usage is still to be rated. ``whole``: it is not known since
        when, as dates or prices have changed.
        ``settled``: those of the ledger that nothing waits for, so that they must
        agree with the usage.
        """
        return SQL(
            """
            ledger AS (
                SELECT DISTINCT ON (r.subscription_id, r.charge_id, r.window_start)
                       r.id, r.subscription_id, r.metric_id, r.charge_id,
                       r.window_start, r.window_end, r.quantity, r.state,
                       r.invoice_id, r.currency_id, r.explanation,
                       r.explanation->>'superseded' IS NOT NULL AS superseded,
                       coalesce(sum(r.amount) FILTER (WHERE r.state <> 'released')
                                OVER key, 0) AS live,
                       bool_or(r.state = 'invoiced' AND
                               (r.amount <> 0 OR NOT r.explanation ? 'billed_by'))
                       OVER key AS agreed
                  FROM fusion_billing_rating r
                  JOIN sale_order o ON o.id = r.subscription_id
                 WHERE %s
                WINDOW key AS (PARTITION BY r.subscription_id, r.charge_id,
                                            r.window_start)
                 ORDER BY r.subscription_id, r.charge_id, r.window_start,
                          r.revision DESC
            ), queued AS (
                SELECT subscription_id, min(since) AS since,
                       bool_or(since IS NULL) AS whole
                  FROM fusion_billing_rating_queue GROUP BY subscription_id
            ), settled AS (
                SELECT l.* FROM ledger l
                  LEFT JOIN queued q ON q.subscription_id = l.subscription_id
                 WHERE NOT coalesce(q.since < l.window_end, FALSE)
                   AND NOT (coalesce(q.whole, FALSE) AND l.state <> 'invoiced')
            )
            """,
            scope,
        )

    def _count_windows(self, scope):
        """How many windows of the ledger agree with the usage, or should."""
        return self._count(
            SQL("WITH %s SELECT count(*) FROM settled", self._ledger(scope))
        )

    def _count_waiting(self, scope):
        """How many subscriptions wait to be rated: theirs are not held to account."""
        return self._count(
            SQL(
                """
                SELECT count(DISTINCT q.subscription_id)
                  FROM fusion_billing_rating_queue q
                  JOIN sale_order o ON o.id = q.subscription_id
                 WHERE %s
                """,
                scope,
            )
        )

    # -- before an invoice is posted -------------------------------------------

    def _check_before_posting(self, moves):
        """Hold the usage of these invoices to what the audit asks of it.

        Where the company wants a wrong invoice not to be posted.

        :raises UserError: one would break I2, I3 or I5
        """
        moves = moves.filtered("company_id.fc_block_bad_invoices").sudo()
        ratings = moves.fc_rating_ids.filtered(lambda r: r.state != "open")
        if not ratings:
            return
        self.env.flush_all()
        Audit = self.sudo()
        scope = Audit._scope(orders=ratings.subscription_id)
        found = [
            *Audit._wrong_quantities(scope),
            *Audit._double_charges(scope),
            *Audit._double_windows(scope),
        ]
        windows = ratings.grouped(lambda r: (r.subscription_id.id, r.metric_id.id))
        Finding = self.env["fusion.billing.audit.finding"]
        for kind, rows, _total in found:
            for row in rows:
                billed = windows.get((row["subscription_id"], row["metric_id"]), ())
                rating = next(
                    (
                        r
                        for r in billed
                        if r.window_start < row["window_end"]
                        and row["window_start"] < r.window_end
                    ),
                    None,
                )
                if rating:
                    [finding] = Finding._prepare_all(kind, [row])
                    raise UserError(
                        self.env._(
                            "%(invoice)s is not posted, because it would be wrong:\n"
                            "%(message)s\n"
                            "Delete the draft and invoice the subscription anew, or"
                            " ask who looks after Fusion Billing.",
                            invoice=rating.invoice_id.display_name,
                            message=finding["message"],
                        )
                    )
