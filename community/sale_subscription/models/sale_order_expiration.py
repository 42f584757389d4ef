import logging

from psycopg2 import OperationalError

from odoo import fields, models
from odoo.exceptions import UserError

from .sale_order import RUNNING_STATES

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    """What happens to a subscription by itself: it resumes, ends, is closed unpaid."""

    _inherit = "sale.order"

    def _cron_subscription_expiration(self):
        """Resume, expire, close what was not paid, announce: each on its day."""
        today = fields.Date.today()
        paused = self.search(
            [("subscription_state", "=", "4_paused"), ("resume_date", "<=", today)]
        )
        # One that ends before it would be resumed is not.
        paused = paused.filtered(lambda o: not o.end_date or o.resume_date < o.end_date)
        for order in paused:
            # From the day it was promised for, also when this run comes late.
            order._apply_isolated(lambda o: o._open_from(o.resume_date))
        for order in self._get_expired_subscriptions():
            order._apply_isolated(lambda o: o.set_close())
        self._handle_unpaid_subscriptions()
        self.env["sale.subscription.notice"]._announce()

    def _apply_isolated(self, method):
        """Call ``method`` with one subscription; keep its failure from the others.

        :param method: function of one sale.order
        :return: whether it was done
        :rtype: bool
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                method(self)
        except OperationalError:
            raise  # of the database, not of this subscription: the run is repeated
        except UserError as error:
            self._record_subscription_error(str(error))
            return False
        except Exception as error:
            _logger.exception("Subscription %s could not be processed", self.id)
            self._record_subscription_error(str(error))
            return False
        if self.subscription_error:
            self.sudo().subscription_error = False
        return True

    def _get_expired_subscriptions(self):
        """Return the subscriptions to be closed because their end date has come.

        One that still has a period to be invoiced before its end is left until that
        has happened, else the revenue of a missed cron run would be lost.

        :rtype: sale.order recordset
        """
        today = fields.Date.today()
        ended = self.search(
            [
                ("is_subscription", "=", True),
                ("subscription_state", "in", RUNNING_STATES),
                ("end_date", "<=", today),
            ]
        )
        return ended.filtered(
            lambda o: (
                o.subscription_state == "4_paused"
                or not o.next_invoice_date
                or o.next_invoice_date >= o.end_date
            )
        )

    def _handle_unpaid_subscriptions(self):
        """Close subscriptions unpaid for longer than their plan allows.

        :return: the closed subscriptions
        :rtype: sale.order recordset
        """
        today = fields.Date.today()
        lines = self._search_overdue_lines(
            [
                ("subscription_id.subscription_state", "=", "3_progress"),
                ("subscription_id.plan_id.auto_close_limit", ">", 0),
            ]
        )
        orders = lines.filtered(
            lambda line: (
                (today - line.move_id.invoice_date_due).days
                > line.subscription_id.plan_id.auto_close_limit
            )
        ).subscription_id
        reason = self.env["sale.order.close.reason"]._get_unpaid_reason()
        return orders.filtered(
            lambda order: order._apply_isolated(lambda o: o.set_close(reason.id))
        )

    def _reopen_when_paid(self):
        """Run again what was closed for being unpaid and owes nothing overdue now."""
        reason = self.env["sale.order.close.reason"]._get_unpaid_reason()
        today = fields.Date.today()
        closed = self.filtered(
            lambda o: (
                o.subscription_state == "6_churn"
                and o.state == "sale"
                and o.close_reason_id == reason
                # By now it would have ended anyway.
                and (not o.contract_end_date or o.contract_end_date > today)
            )
        )
        unpaid = self._search_overdue_lines([("subscription_id", "in", closed.ids)])
        for order in closed - unpaid.subscription_id:
            # What hinders it is no reason not to book the payment.
            if order._apply_isolated(lambda o: o.set_open()):
                order.message_post(
                    body=self.env._("Paid: the subscription runs again.")
                )
