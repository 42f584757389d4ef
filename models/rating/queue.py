import logging
from datetime import datetime

from psycopg2 import IntegrityError, OperationalError

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# Any two-part lock number of ours; see _claim.
_LOCK = 0x46434252

_NOT_RATED = ("1_draft", "2_renewal")
BATCH = 500
# How often in one run another process may be in the way; the next run goes on.
MAX_CONFLICTS = 20


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
        "sale.order", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="subscription_id.company_id")
    since = fields.Datetime(
        readonly=True,
        help="Usage from then on has changed. Empty: from the open window on.",
    )
    recheck = fields.Boolean(
        readonly=True,
        help="Dates, plan or prices have changed: which usage belongs to a window may"
        " have, too.",
    )

    def _add(self, orders, since=None):
        """Have subscriptions rated again whose dates, plan or prices have changed.

        :param orders: ``sale.order`` records
        :param datetime since: naive UTC; None: from their open window on
        """
        if orders:
            self.env.cr.execute(
                "INSERT INTO fusion_billing_rating_queue (subscription_id, since, "
                "recheck) SELECT unnest(%s), %s, true",
                [orders.ids, since],
            )

    def _add_usage(self, since_of):
        """Have subscriptions rated again whose usage has changed.

        :param dict since_of: order id -> the earliest ``period_start`` that changed
        """
        if since_of:
            self.env.cr.execute(
                "INSERT INTO fusion_billing_rating_queue (subscription_id, since, "
                "recheck) SELECT *, false FROM unnest(%s::int[], %s::timestamp[])",
                [list(since_of), list(since_of.values())],
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

    def _claim(self, limit, after=0):
        """Orders that this transaction may rate, and no other one meanwhile.

        Call it first in a transaction: what an earlier holder has committed must be
        seen. Where it is not, PostgreSQL refuses the writes, and nothing is lost.

        :param int limit: how many at most
        :param int after: the order id to go on after
        :return: ``sale.order`` records by id
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM (%s) waiting WHERE pg_try_advisory_xact_lock(%s, id)"
                " LIMIT %s",
                self._waiting(after),
                _LOCK,
                limit,
            )
        )
        return self.env["sale.order"].sudo().browse([order_id for [order_id] in rows])

    def _count(self):
        """How many orders wait."""
        [[count]] = self.env.execute_query(
            SQL("SELECT count(*) FROM (%s) waiting", self._waiting())
        )
        return count

    @staticmethod
    def _waiting(after=0):
        """A query for the ids of orders that wait, by id.

        It goes from each to the next in the index, as there can be hundreds of rows of
        each: one from every request. With a limit it reads no more than that needs.
        """
        return SQL(
            """
            WITH RECURSIVE queued(id) AS (
                SELECT min(subscription_id) FROM fusion_billing_rating_queue
                 WHERE subscription_id > %s
                 UNION ALL
                SELECT (SELECT min(q.subscription_id)
                          FROM fusion_billing_rating_queue q
                         WHERE q.subscription_id > queued.id)
                  FROM queued WHERE queued.id IS NOT NULL
            )
            SELECT id
              FROM queued
             WHERE (SELECT coalesce(o.subscription_state, '')
                      FROM sale_order o WHERE o.id = queued.id) <> ALL(%s)
            OFFSET 0  -- whoever asks locks what is in here, and nothing else
            """,
            after,
            list(_NOT_RATED),
        )

    # -- working through it ----------------------------------------------------

    @api.model
    def _rate_all(self):
        """Rate the subscriptions that something has changed for, in committed batches.

        Several processes can do so side by side: none takes what another is at. A
        subscription that cannot be rated stays in the queue and says why on its form;
        it never stops the others.

        :return: whether all of them were reached in the time there was
        """
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=self._count())
        last_id, conflicts = 0, 0
        while conflicts < MAX_CONFLICTS:
            try:
                claimed = self._claim(BATCH, after=last_id)
                if not claimed:
                    break
                batch = claimed.filtered("is_subscription")
                self._take(claimed - batch)  # upsells, say: nothing to rate
                self._rate_isolated(batch)
                # Written only now: what another process has changed meanwhile.
                self.env.flush_all()
            except (OperationalError, IntegrityError):
                # Invoiced or changed by somebody else just now.
                self.env.cr.rollback()
                conflicts += 1
                continue
            last_id = max(claimed.ids)
            if not Cron._commit_progress(len(claimed)):
                return False
        return True

    def _rate_isolated(self, orders):
        """Rate a batch at once; when that fails, one by one, noting the failures."""
        try:
            with self.env.cr.savepoint():
                orders._fc_bring_up_to_date()
                self._note_problem(orders, False)
            return
        except (OperationalError, IntegrityError):
            raise  # a concurrent transaction, not a bad record
        except Exception:
            _logger.info("Rating %s subscriptions one by one", len(orders))
            orders.invalidate_recordset(flush=False)
        for order in orders:
            try:
                with self.env.cr.savepoint():
                    order._fc_bring_up_to_date()
                    self._note_problem(order, False)
            except (OperationalError, IntegrityError):
                raise
            except Exception as exc:
                _logger.info("Rating of %s failed", order.name, exc_info=True)
                order.invalidate_recordset(flush=False)
                self._note_problem(order, str(exc) or type(exc).__name__)

    def _note_problem(self, orders, problem):
        changed = orders.filtered(lambda o: (o.fc_rating_error or False) != problem)
        if changed:
            changed.sudo().fc_rating_error = problem
