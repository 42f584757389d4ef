import logging

from psycopg2 import IntegrityError, OperationalError

from odoo import api, fields, models
from odoo.tools import SQL

from .sale_order import CHURNED, RENEWED

_logger = logging.getLogger(__name__)

BATCH = 500
# How often in one run another process may be in the way; the next run goes on.
MAX_CONFLICTS = 20


class SaleOrder(models.Model):
    """The scheduled rating of whatever has changed."""

    _inherit = "sale.order"

    @api.model
    def _cron_fc_rate_usage(self):
        """Rate the subscriptions that something has changed for, in committed batches.

        Several processes can do so side by side: none takes what another is at. A
        subscription that cannot be rated stays in the queue and says why on its form;
        it never stops the others.
        """
        Queue = self.env["fusion.billing.rating.queue"]
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=Queue._count())
        last_id, conflicts = 0, 0
        while conflicts < MAX_CONFLICTS:
            try:
                claimed = Queue._claim(BATCH, after=last_id)
                if not claimed:
                    break
                batch = claimed.filtered("is_subscription")
                Queue._take(claimed - batch)  # upsells, say: nothing to rate
                batch._fc_rate_isolated()
                # Written only now: what another process has changed meanwhile.
                self.env.flush_all()
            except (OperationalError, IntegrityError):
                # Invoiced or changed by somebody else just now.
                self.env.cr.rollback()
                conflicts += 1
                continue
            last_id = max(claimed.ids)
            if not Cron._commit_progress(len(claimed)):
                return
        self._fc_rate_ended()

    @api.model
    def _fc_rate_ended(self):
        """Hand over and bill what subscriptions have used that have ended since."""
        Cron = self.env["ir.cron"]
        renewed = self.search(
            [("is_subscription", "=", True), ("subscription_state", "=", RENEWED)]
        )
        renewed._fc_hand_over_usage()
        Cron._commit_progress()
        for order in self._fc_renewed_to_bill() | self._fc_ended_to_bill():
            order._fc_bill_last_usage()
            Cron._commit_progress()

    @api.model
    def _fc_ended_to_bill(self):
        """Ended subscriptions with usage that came late, one invoice a day for each.

        What a credit note or a cancelled invoice has given back is left to finance.
        """
        self.env["fusion.billing.rating"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT r.subscription_id
                  FROM fusion_billing_rating r
                  JOIN sale_order o ON o.id = r.subscription_id
                 WHERE r.state = 'open' AND r.amount != 0
                   AND o.state = 'sale' AND o.subscription_state = ANY(%s)
                   AND NOT EXISTS (
                           SELECT FROM fusion_billing_rating other
                            WHERE other.subscription_id = r.subscription_id
                              AND other.closed_at >= %s)
                 GROUP BY r.subscription_id ORDER BY r.subscription_id
                """,
                [RENEWED, CHURNED],
                fields.Date.today(),
            )
        )
        orders = self.browse([order_id for [order_id] in rows])
        orders -= orders._fc_waiting_for_finance()
        # A renewed one runs on to the end of its window.
        return orders.filtered(lambda o: o._fc_is_over())

    def _fc_waiting_for_finance(self):
        """Those with an amount that was billed, given back, and not billed since.

        A later revision has billed it that has not counted it as billed.
        """
        self.env["fusion.billing.rating"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT r.subscription_id
                  FROM fusion_billing_rating r
                 WHERE r.subscription_id = ANY(%s)
                   AND r.state = 'released' AND r.amount != 0
                   AND NOT EXISTS (
                           SELECT FROM fusion_billing_rating again
                            WHERE again.subscription_id = r.subscription_id
                              AND again.charge_id = r.charge_id
                              AND again.window_start = r.window_start
                              AND again.revision > r.revision
                              AND again.state = 'invoiced' AND again.amount != 0
                              AND (again.explanation->'billed_by'
                                   @> to_jsonb(r.revision)) IS NOT TRUE)
                """,
                self.ids,
            )
        )
        return self.browse([order_id for [order_id] in rows])

    def _fc_rate_isolated(self):
        """Rate a batch at once; when that fails, one by one, noting the failures."""
        try:
            with self.env.cr.savepoint():
                self._fc_bring_up_to_date()
                self._fc_set_rating_error(False)
            return
        except (OperationalError, IntegrityError):
            raise  # a concurrent transaction, not a bad record
        except Exception:
            _logger.info("Rating %s subscriptions one by one", len(self))
            self.invalidate_recordset(flush=False)
        for order in self:
            try:
                with self.env.cr.savepoint():
                    order._fc_bring_up_to_date()
                    order._fc_set_rating_error(False)
            except (OperationalError, IntegrityError):
                raise
            except Exception as exc:
                _logger.info("Rating of %s failed", order.name, exc_info=True)
                order.invalidate_recordset(flush=False)
                order._fc_set_rating_error(str(exc) or type(exc).__name__)

    def _fc_set_rating_error(self, error):
        changed = self.filtered(lambda o: (o.fc_rating_error or False) != error)
        if changed:
            changed.sudo().fc_rating_error = error
