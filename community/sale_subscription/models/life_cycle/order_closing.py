from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..base.states import RUNNING_STATES


class SaleSubscriptionOrderClosing(models.AbstractModel):
    """The end of a subscription, and what is invoiced before it."""

    _name = "sale.subscription.order.closing"
    _description = "Closing of Subscriptions"

    def set_close(self, close_reason_id=None, renew=False):
        """End the subscriptions today, when what is due up to today is invoiced.

        :param int close_reason_id: id of a sale.order.close.reason, or None
        :param bool renew: they end because their renewal, confirmed, goes on
        :return: True
        :raises UserError: one of the orders is not a running or paused subscription,
            or has no such renewal, or what is due of it cannot be invoiced, and why
        """
        self.check_access("write")
        for order in self:
            if renew:
                order._close_for_renewal()
                continue
            if order.subscription_state not in RUNNING_STATES:
                raise UserError(
                    self.env._("%s is not a running subscription.", order.name)
                )
            order._invoice_before_end()
            order._close(close_reason_id)
        return True

    def _invoice_before_end(self, until=None, posted=False):
        """Invoice what is due, before these subscriptions end: nothing comes after.

        With superuser rights, as the scheduled action would: who may close may bill
        what is due. A hook for modules.

        :param datetime.date until: periods from this day on are somebody else's
        :param bool posted: what is left in draft does not count as invoiced
        :raises UserError: what is due cannot be invoiced, or not all of it
        """
        for order in self.sudo():
            if order.subscription_state != "3_progress" or order.state != "sale":
                continue
            order._invoice_due_periods(until)
            if order._is_left_to_invoice(until, posted):
                order._raise_not_invoiced(order.next_invoice_date)

    def _raise_not_invoiced(self, day):
        raise UserError(
            self.env._(
                "%(order)s is not invoiced up to today: create and post its "
                "invoices from %(date)s on before it ends.",
                order=self.name,
                date=format_date(self.env, day),
            )
        )

    def _check_no_days_in_draft(self):
        """Refuse to cancel orders together with what is invoiced of their time.

        Odoo cancels the draft invoices of an order that is cancelled.
        """
        for order in self.filtered(lambda o: o.subscription_state in RUNNING_STATES):
            drafts = order.sudo().invoice_ids.filtered(lambda m: m.state == "draft")
            days = drafts.invoice_line_ids.filtered("charged_from").sorted(
                "charged_from"
            )
            if days:
                order._raise_not_invoiced(days[0].charged_from)

    def _is_left_to_invoice(self, until, posted):
        """Tell whether something is still due; parameters as above.

        :rtype: bool
        """
        self.ensure_one()
        day = self.next_invoice_date
        claimed = day and self._get_period(day)
        if not claimed:
            return self._is_period_due() and not (until and day >= until)
        if posted:
            return True
        # The period after the one in draft is invoiced only when that is posted.
        after = claimed.period_end
        return after <= fields.Date.today() and (
            not self.end_date or after < self.end_date
        )

    def _close_for_renewal(self):
        if self.renewal_id.state != "sale":
            raise UserError(self.env._("%s has no confirmed renewal.", self.name))
        self._set_subscription_state("5_renewed")

    def _close(self, close_reason_id=None, event_type=None):
        self.ensure_one()
        today = fields.Date.today()
        end_date = min(self.end_date or today, today)
        end_date = max(end_date, self.start_date or end_date)
        values = {
            "end_date": end_date,
            "contract_end_date": self.end_date if self.end_date != end_date else False,
            "pause_date": False,
            "resume_date": False,
        }
        if close_reason_id:
            values["close_reason_id"] = close_reason_id
        self._set_subscription_state("6_churn", event_type=event_type, **values)
        if not event_type:
            self.env["sale.subscription.notice"]._tell(self, "closed", end_date)

    def action_open_close_wizard(self):
        """Ask for the reason, then close.

        :return: window action
        :rtype: dict
        """
        self.check_access("write")
        return self._open_wizard(
            "sale.subscription.close", self.env._("Close Subscription")
        )
