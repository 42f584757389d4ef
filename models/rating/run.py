import logging

from psycopg2 import IntegrityError, OperationalError

from odoo import api, models

_logger = logging.getLogger(__name__)

BATCH = 500
# How often in one run another process may be in the way; the next run goes on.
MAX_CONFLICTS = 20


class FusionBillingRatingRun(models.AbstractModel):
    """Works through the queue of what is to be rated."""

    _name = "fusion.billing.rating.run"
    _description = "Rating Run"

    @api.model
    def _rate_all(self):
        """Rate the subscriptions that something has changed for, in committed batches.

        Several processes can do so side by side: none takes what another is at. A
        subscription that cannot be rated stays in the queue and says why on its form;
        it never stops the others.

        :return: whether all of them were reached in the time there was
        """
        Cron = self.env["ir.cron"]
        Queue = self.env["fusion.billing.rating.queue"]
        waiting, conflicts = Queue._waiting(), 0
        Cron._commit_progress(remaining=len(waiting))
        while waiting and conflicts < MAX_CONFLICTS:
            try:
                claimed = Queue._claim(waiting[:BATCH])
                batch = claimed.filtered("is_subscription")
                Queue._take(claimed - batch)  # no subscriptions (upsells): not rated
                self._rate_isolated(batch)
                # Here, inside the try: writing fails where another process has changed
                # the same rows meanwhile.
                self.env.flush_all()
            except (OperationalError, IntegrityError):
                # Invoiced or changed by somebody else just now.
                self.env.cr.rollback()
                conflicts += 1
                continue
            done, waiting = len(waiting[:BATCH]), waiting[BATCH:]
            if not Cron._commit_progress(done):
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
