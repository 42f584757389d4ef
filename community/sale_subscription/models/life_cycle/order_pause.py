from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .order_state import STATE_BY_CODE


class SaleSubscriptionOrderPause(models.AbstractModel):
    """Pausing and resuming a subscription, at once or on a day."""

    _name = "sale.subscription.order.pause"
    _description = "Pauses of Subscriptions"

    def pause_subscription(self, resume_date=None, pause_date=None):
        """Stop invoicing until `resume_subscription`, or until ``resume_date``.

        :param datetime.date resume_date: the day from which it runs again by itself
        :param datetime.date pause_date: the day on which it pauses, after today; None:
            today. Until then it runs, and what was planned before is replaced
        :return: True
        :raises UserError: one of the orders is not in progress, or ends before
        :raises ValidationError: the resume date is not after today and the pause date
        """
        self.check_access("write")
        if resume_date:
            self._check_day_to_resume(resume_date)
        if pause_date and pause_date > fields.Date.today():
            self._plan_pause(pause_date, resume_date)
        else:
            self._pause(resume_date)
        return True

    def _pause(self, resume_date):
        self._set_subscription_state(
            "4_paused",
            pause_date=False,
            resume_date=resume_date,
            paused_by_customer=False,
        )

    def _plan_pause(self, pause_date, resume_date):
        for order in self:
            if order.subscription_state != "3_progress":
                raise UserError(
                    self.env._("%s is not a subscription in progress.", order.name)
                )
            if order.end_date and order.end_date <= pause_date:
                raise UserError(
                    self.env._(
                        "%(order)s ends on %(date)s, before it would be paused.",
                        order=order.name,
                        date=format_date(self.env, order.end_date),
                    )
                )
        if resume_date and resume_date <= pause_date:
            raise UserError(self.env._("A pause has to begin before it ends."))
        self._write_pause(pause_date, resume_date)

    def _write_pause(self, pause_date, resume_date):
        # Written by people, a resume date is that of a subscription that is paused.
        by_code = self.with_context(**{STATE_BY_CODE: True})
        by_code._write_by_code(
            {"pause_date": pause_date, "resume_date": resume_date or False}
        )

    def resume_subscription(self):
        """Run paused subscriptions again; the pause is not invoiced.

        Of one that is to be paused later, the pause is taken back.

        :return: True
        :raises UserError: one of the orders is not paused
        """
        self.check_access("write")
        planned = self.filtered(
            lambda o: o.subscription_state == "3_progress" and o.pause_date
        )
        paused = self - planned
        for order in paused:
            if order.subscription_state != "4_paused":
                raise UserError(self.env._("%s is not paused.", order.name))
        planned._write_pause(False, False)
        return paused.set_open()

    def _pause_on_date(self):
        """Pause what was planned to be paused by now; a part of the scheduled action.

        Also where the pause is over, when this run comes late: resuming comes next.
        """
        due = self.search(
            [
                ("subscription_state", "=", "3_progress"),
                ("pause_date", "<=", fields.Date.today()),
            ]
        )
        for order in due:
            order._apply_isolated(lambda o: o._pause(o.resume_date))

    def action_open_pause_wizard(self):
        """Ask from when and until when, then pause.

        :return: window action
        :rtype: dict
        """
        self.check_access("write")
        return self._open_wizard(
            "sale.subscription.pause", self.env._("Pause Subscription")
        )
