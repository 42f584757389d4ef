from odoo import api, fields, models
from odoo.fields import Domain


class SaleOrder(models.Model):
    """Periods of a subscription: their boundaries, and which of them is due."""

    _inherit = "sale.order"

    billing_anchor_date = fields.Date(
        string="Billing Anchor",
        copy=False,
        readonly=True,
        help="The date all period boundaries are counted from.",
    )
    subscription_period_ids = fields.One2many(
        "sale.subscription.period",
        "subscription_id",
        string="Invoiced Periods",
        readonly=True,
        copy=False,
    )

    # === BOUNDARIES ===

    def _get_billing_anchor(self):
        """Return the date from which the boundaries of the subscription are counted.

        The start date, as long as the next invoice date is one of its boundaries.
        Otherwise someone has set the next invoice date to another day, and that day
        becomes the anchor; on an aligned plan, the first calendar period after it.

        :rtype: datetime.date
        """
        self.ensure_one()
        plan, next_date = self.plan_id, self.next_invoice_date
        for anchor in (self.billing_anchor_date, self.start_date):
            if not anchor or plan._get_boundary_index(anchor, next_date) is None:
                continue
            if not plan.billing_first_day or plan._get_aligned_from(anchor) == anchor:
                return anchor
        return (
            plan._get_aligned_from(next_date) if plan.billing_first_day else next_date
        )

    def _get_following_boundary(self):
        """Return the boundary after the next invoice date.

        :rtype: datetime.date
        """
        anchor = self._get_billing_anchor()
        if anchor > self.next_invoice_date and self.plan_id.billing_first_day:
            # The days before the first calendar period, or before one that was
            # counted from another anchor.
            index = self.plan_id._get_first_boundary_from(
                anchor, fields.Date.add(self.next_invoice_date, days=1)
            )
            return self.plan_id._get_boundary(anchor, index)
        index = self.plan_id._get_boundary_index(anchor, self.next_invoice_date)
        return self.plan_id._get_boundary(anchor, index + 1)

    def _get_next_period(self):
        """Return the period that begins on the next invoice date, as it is charged.

        It is shorter than a period of the plan when it leads up to the first calendar
        period of an aligned plan, and when the subscription ends in it.

        :return: (first day, first day after it, days of a whole period)
        :rtype: tuple[datetime.date, datetime.date, int]
        """
        self.ensure_one()
        start, end = self.next_invoice_date, self._get_following_boundary()
        whole = end - start
        if start < self._get_billing_anchor() <= end:
            whole = end - self.plan_id._get_boundary(end, -1)
        if self.end_date and start < self.end_date < end:
            end = self.end_date
        return start, end, whole.days

    def _get_period_share(self):
        """Return which share of the plan's price the next period costs.

        :return: (days charged, days of a whole period)
        :rtype: tuple[int, int]
        """
        start, end, whole_days = self._get_next_period()
        return (end - start).days, whole_days

    def _advance_period(self):
        """Move the dates one period on."""
        self.ensure_one()
        self.write(
            {
                "billing_anchor_date": self._get_billing_anchor(),
                "last_invoice_date": self.next_invoice_date,
                "next_invoice_date": self._get_following_boundary(),
            }
        )

    def _prepare_resume_values(self, day):
        """Return the dates of a subscription that runs again from ``day``.

        :param datetime.date day: the day it is opened
        :return: values for `write`; empty when the period paid for still runs
        :rtype: dict
        """
        self.ensure_one()
        next_date = self.next_invoice_date
        if next_date and next_date >= day:
            return {}
        if not next_date:
            return {"start_date": self.start_date or day, "next_invoice_date": day}
        anchor = self._get_billing_anchor()
        index = self.plan_id._get_first_boundary_from(anchor, day)
        values = {
            "billing_anchor_date": anchor,
            "next_invoice_date": self.plan_id._get_boundary(anchor, index),
        }
        if self.last_invoice_date:
            values["last_invoice_date"] = self.plan_id._get_boundary(anchor, index - 1)
        return values

    # === WHAT IS DUE ===

    @api.model
    def _get_due_domain(self):
        """Return the domain of subscriptions whose next invoice date has come.

        :rtype: Domain
        """
        return Domain(
            [
                ("is_subscription", "=", True),
                ("subscription_state", "=", "3_progress"),
                ("next_invoice_date", "<=", fields.Date.today()),
            ]
        )

    def _get_period(self, period_start):
        """Return the claim on the period starting on ``period_start``, if any.

        :rtype: sale.subscription.period
        """
        return self.sudo().subscription_period_ids.filtered(
            lambda p: p.period_start == period_start and not p.released
        )

    def _is_period_due(self):
        """Tell whether the next period is to be invoiced today.

        Not when it has a draft invoice already: the dates move only when that one is
        posted.

        :rtype: bool
        """
        self.ensure_one()
        next_date = self.next_invoice_date
        return bool(
            self.is_subscription
            and self.plan_id
            and self.subscription_state == "3_progress"
            and next_date
            and next_date <= fields.Date.today()
            and (not self.end_date or next_date < self.end_date)
            and not self._get_period(next_date)
        )

    def _claim_period(self, move=None):
        """Record that the next period is invoiced by ``move``, or is free.

        :param move: account.move, or None for a free period
        :return: the new row
        :rtype: sale.subscription.period
        """
        self.ensure_one()
        Period = self.env["sale.subscription.period"].sudo()
        # A row released in this transaction would still bar the way in the database.
        Period.flush_model(["released"])
        start, end, _whole_days = self._get_next_period()
        return Period.create(
            {
                "subscription_id": self.id,
                "period_start": start,
                "period_end": end,
                "move_id": move.id if move else False,
            }
        )
