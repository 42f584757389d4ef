from odoo import fields, models

from ...engine.errors import BillingError


class FusionBillingOrderLife(models.AbstractModel):
    """What apps do to a subscription: as the buttons of its form do, on both editions.

    What closing, pausing and the like are called, editions do not agree on, nor which
    of them there are.
    """

    _name = "fusion.billing.order.life"
    _description = "Life of Subscriptions"

    fc_cancel_date = fields.Date(
        string="Cancelled by App As Of",
        copy=False,
        readonly=True,
        help="The end date that the source app asked for.",
    )
    fc_agreed_end_date = fields.Date(
        string="End Date Before It Was Cancelled",
        copy=False,
        readonly=True,
        help="The end date that holds again if the source app takes back what it"
        " cancelled.",
    )

    def _fc_one_request_at_a_time(self):
        """Have requests that change this subscription run one after the other.

        An UPDATE, not a lock: the one that waited gets a serialization failure, and is
        repeated by Odoo with a snapshot that shows what the other did.
        """
        self.ensure_one()
        self.flush_recordset()
        self.env.cr.execute(
            "UPDATE sale_order SET write_uid = write_uid WHERE id = %s",
            [self.id],
            log_exceptions=False,
        )

    def _fc_day(self, name):
        """A day that only Community's module knows: when a pause begins, or ends.

        :return: date, or None
        """
        self.ensure_one()
        return (name in self._fields and self[name]) or None

    # -- its end -----------------------------------------------------------------

    def _fc_is_cancelled(self):
        """Whether it ends on the day an app asked for, and nobody chose another one."""
        self.ensure_one()
        return bool(self.fc_cancel_date and self.fc_cancel_date == self.end_date)

    def _fc_agreed_end(self):
        """The end date it has if no app has cancelled it (date or None)."""
        cancelled = self._fc_is_cancelled()
        return (self.fc_agreed_end_date if cancelled else self.end_date) or None

    def _fc_end_on(self, day):
        """Let it end on a day, and remember what was agreed before.

        :param datetime.date day: the first day that is not billed
        """
        self.write(
            {
                "fc_agreed_end_date": self._fc_agreed_end(),
                "fc_cancel_date": day,
                "end_date": day,
            }
        )

    def _fc_keep(self):
        """Take back what an app cancelled as of a day."""
        self.write(
            {
                "end_date": self._fc_agreed_end(),
                "fc_agreed_end_date": False,
                "fc_cancel_date": False,
            }
        )

    def _fc_reactivate(self):
        """Let it run again after its end, up to the end that was agreed, if any.

        :raises BillingError: ``not_available``
        :raises UserError: it cannot be opened
        """
        agreed = self.fc_agreed_end_date
        cancelled = bool(self.fc_cancel_date)
        self._fc_by_module("set_open")()
        if cancelled:
            # The end that an app chose is no more agreed than its closing was.
            still_agreed = agreed and agreed > fields.Date.today()
            self.write(
                {
                    "end_date": agreed if still_agreed else False,
                    "fc_agreed_end_date": False,
                    "fc_cancel_date": False,
                }
            )

    # -- pauses ------------------------------------------------------------------

    def _fc_pause(self, start, until):
        """Pause it on a day, up to another one.

        :param datetime.date start: None: today
        :param datetime.date until: when it runs again by itself; None: never
        :raises BillingError: ``not_available``
        """
        self._fc_by_module("pause_subscription")(until, start)

    def _fc_resume(self):
        """End its pause today, or take back one that is planned.

        :raises BillingError: ``not_available``
        """
        self._fc_by_module("resume_subscription")()

    def _fc_resume_on(self, day):
        """End its pause, or one that is planned, on a later day.

        :raises BillingError: ``not_available``
        """
        planned = self._fc_day("pause_date")
        if planned:
            self._fc_pause(planned, day)
        else:
            self.write({"resume_date": day})

    # -- what it is of -------------------------------------------------------------

    def _fc_change_plan(self, plan, is_now):
        """Move it to another plan, today or from the next invoice on.

        :raises BillingError: ``not_available``
        """
        timing = "now" if is_now else "next_period"
        self._fc_by_module("change_plan")(plan, timing)

    def _fc_change_lines(self, quantities, is_now):
        """Set how much it has of products; more is charged today or later.

        :param dict quantities: ``sale.order.line``, or ``product.product`` that it has
            not yet -> quantity
        :raises BillingError: ``not_available``
        """
        timing = "now" if is_now else "next_period"
        self._fc_by_module("change_lines")(quantities, timing)

    def _fc_by_module(self, name):
        """A method of the module that has the subscriptions.

        :raises BillingError: ``not_available``: that module has no such method
        """
        method = getattr(self, name, None)
        if method is None:
            raise BillingError(
                "not_available",
                "the subscriptions of this Odoo cannot do that (Odoo Enterprise)",
            )
        return method
