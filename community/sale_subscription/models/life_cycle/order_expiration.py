from odoo import fields, models

from ..base.states import RUNNING_STATES


class SaleSubscriptionOrderExpiration(models.AbstractModel):
    """What a subscription does by itself: pauses, resumes, ends, is closed unpaid."""

    _name = "sale.subscription.order.expiration"
    _description = "Expiration of Subscriptions"

    def _cron_subscription_expiration(self):
        """Pause, resume, expire, close what was not paid, announce: each on its day."""
        self.env["sale.subscription.run"]._run(
            self.env._("Subscriptions are not being resumed or closed"),
            self._pause_on_date,
            self._resume_on_date,
            self._close_expired,
            self._close_unpaid,
            self.env["sale.subscription.notice"]._announce,
        )

    def _resume_on_date(self):
        today = fields.Date.today()
        paused = self.search(
            [("subscription_state", "=", "4_paused"), ("resume_date", "<=", today)]
        )
        # One that ends before it would be resumed is not.
        paused = paused.filtered(lambda o: not o.end_date or o.resume_date < o.end_date)
        for order in paused:
            # From the day it was promised for, also when this run comes late.
            order._apply_isolated(lambda o: o._open_from(o.resume_date))

    def _close_expired(self):
        ids = [row["so_id"] for row in self._get_expired_subscriptions()]
        for order in self.browse(ids):
            order._apply_isolated(lambda o: o.set_close())

    def _close_unpaid(self):
        reason = self.env["sale.order.close.reason"]._get_unpaid_reason()
        for order in self.browse(self._handle_unpaid_subscriptions()):
            order._apply_isolated(lambda o: o.set_close(reason.id))

    def _get_expired_subscriptions(self):
        """Return the subscriptions to be closed because their end date has come.

        One that still has a period to be invoiced before its end is left until that
        has happened, else the revenue of a missed cron run would be lost. A hook for
        modules, in the form that they know.

        :return: a row for each, with its id as ``so_id``
        :rtype: list[dict[str, int]]
        """
        today = fields.Date.today()
        ended = self.search(
            [
                ("is_subscription", "=", True),
                ("subscription_state", "in", RUNNING_STATES),
                ("end_date", "<=", today),
            ]
        )
        ended = ended.filtered(
            lambda o: (
                o.subscription_state == "4_paused"
                or not o.next_invoice_date
                or o.next_invoice_date >= o.end_date
            )
        )
        return [{"so_id": order.id} for order in ended]

    def _handle_unpaid_subscriptions(self):
        """Return which subscriptions are to be closed because they are unpaid.

        A hook for modules; the scheduled action closes what it returns.

        :return: {id of a subscription: id of the account.move that is unpaid}
        :rtype: dict[int, int]
        """
        return {
            row["so_id"]: row["move_id"] for row in self._get_unpaid_subscriptions()
        }

    def _get_unpaid_subscriptions(self):
        """Return the subscriptions unpaid for longer than their plan allows.

        :return: a row for each and unpaid invoice, with their ids
        :rtype: list[dict[str, int]]
        """
        today = fields.Date.today()
        lines = self._search_overdue_lines(
            [
                ("subscription_id.subscription_state", "=", "3_progress"),
                ("subscription_id.plan_id.auto_close_limit", ">", 0),
            ]
        )
        return [
            {"so_id": line.subscription_id.id, "move_id": line.move_id.id}
            for line in lines
            if (today - line.move_id.invoice_date_due).days
            > line.subscription_id.plan_id.auto_close_limit
        ]

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
            opened, _result = order._apply_isolated(lambda o: o.set_open())
            if opened:
                order.message_post(
                    body=self.env._("Paid: the subscription is running again.")
                )
