import logging

from psycopg2 import IntegrityError, OperationalError

from odoo import api, models
from odoo.fields import Domain

from .sale_order import RENEWED

_logger = logging.getLogger(__name__)

BATCH = 500


class SaleOrder(models.Model):
    """The scheduled rating of all running subscriptions."""

    _inherit = "sale.order"

    @api.model
    def _cron_fc_rate_usage(self):
        """Rate every running subscription that has a charge, in committed batches.

        A subscription that cannot be rated is left out and says why on its
        form; it never stops the others.
        """
        plans = self.env["fusion.billing.charge"].search([]).plan_id
        order_ids = self.search(
            Domain(self._fc_running_domain())
            & (
                Domain("plan_id", "in", plans.ids)
                | Domain("fc_window_plan_id", "in", plans.ids)
            ),
            order="id",
        ).ids
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=len(order_ids))
        for start in range(0, len(order_ids), BATCH):
            batch = self.browse(order_ids[start : start + BATCH])
            try:
                batch._fc_rate_isolated()
            except (OperationalError, IntegrityError):
                # Invoiced or changed by somebody else just now, which rates it, too.
                # What is left is rated by the next run.
                self.env.cr.rollback()
                _logger.info("Rating of %s subscriptions put off", len(batch))
            if not Cron._commit_progress(len(batch)):
                return
        renewed = self.search(
            [("is_subscription", "=", True), ("subscription_state", "=", RENEWED)]
        )
        renewed._fc_hand_over_usage()
        Cron._commit_progress()
        for order in self._fc_renewed_to_bill():
            order._fc_bill_last_usage()
            Cron._commit_progress()

    def _fc_rate_isolated(self):
        """Rate a batch at once; when that fails, one by one, noting the failures."""
        running = self.filtered_domain(self._fc_running_domain())
        try:
            with self.env.cr.savepoint():
                running._fc_rate_usage()
                running._fc_set_rating_error(False)
            return
        except (OperationalError, IntegrityError):
            raise  # a concurrent transaction, not a bad record
        except Exception:
            _logger.info("Rating %s subscriptions one by one", len(running))
            running.invalidate_recordset(flush=False)
        for order in running:
            try:
                with self.env.cr.savepoint():
                    order._fc_rate_usage()
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
