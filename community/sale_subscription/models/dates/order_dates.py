from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain


class SaleSubscriptionOrderDates(models.AbstractModel):
    """Periods of a subscription: their boundaries, and which of them is due."""

    _name = "sale.subscription.order.dates"
    _description = "Periods of Subscriptions"

    billing_anchor_date = fields.Date(
        string="Billing Anchor",
        copy=False,
        readonly=True,
        help="The date from which all periods are counted.",
    )

    # === BOUNDARIES ===

    def _get_billing_anchor(self):
        """Return the date from which the boundaries of the subscription are counted.

        :rtype: datetime.date
        """
        self.ensure_one()
        anchor = self.billing_anchor_date
        return anchor if self._is_aligned(anchor) else self._choose_anchor()

    def _is_aligned(self, anchor):
        plan = self.plan_id
        return bool(anchor) and (
            not plan.billing_first_day or plan._get_aligned_from(anchor) == anchor
        )

    def _choose_anchor(self):
        """Return the anchor that suits the next invoice date.

        The present anchor or the start date, as long as the next invoice date is one of
        their boundaries. Otherwise someone has chosen another day, and that day becomes
        the anchor; on an aligned plan, the first calendar period from it on.

        :rtype: datetime.date
        """
        self.ensure_one()
        plan, next_date = self.plan_id, self.next_invoice_date
        # The start first, once it is past: a plan changed and changed back leaves the
        # subscription of the 31st one of the 31st.
        begun = self.start_date and self.start_date < next_date
        anchors = (
            self.start_date if begun else None,
            self.billing_anchor_date,
            self.start_date,
        )
        for anchor in anchors:
            if self._is_aligned(anchor):
                if plan._get_boundary_index(anchor, next_date) is not None:
                    return anchor
        return (
            plan._get_aligned_from(next_date) if plan.billing_first_day else next_date
        )

    def _get_whole_period(self, day):
        """Return the period of the plan that ``day`` lies in.

        :param datetime.date day: any day
        :return: (first day, first day after it)
        :rtype: tuple[datetime.date, datetime.date]
        """
        self.ensure_one()
        plan, anchor = self.plan_id, self._get_billing_anchor()
        index = plan._get_first_boundary_from(anchor, day + timedelta(days=1))
        return plan._get_boundary(anchor, index - 1), plan._get_boundary(anchor, index)

    def _get_next_period(self):
        """Return the period that begins on the next invoice date, as it is charged.

        It is shorter than a period of the plan when it leads up to the first calendar
        period of an aligned plan, and when the subscription ends in it.

        :return: (first day, first day after it, days of a whole period)
        :rtype: tuple[datetime.date, datetime.date, int]
        """
        self.ensure_one()
        start = self.next_invoice_date
        whole_start, whole_end = self._get_whole_period(start)
        end = whole_end
        if self.end_date and self.end_date > start:
            end = min(end, self.end_date)
        return start, end, (whole_end - whole_start).days

    def _get_period_share(self):
        """Return which share of the plan's price the next period costs.

        :return: (days charged, days of a whole period)
        :rtype: tuple[int, int]
        """
        start, end, whole_days = self._get_next_period()
        return (end - start).days, whole_days

    def _advance_period(self, start, end):
        """Move the dates past the period ``[start, end)``: it is invoiced, or free.

        :param datetime.date start: its first day
        :param datetime.date end: the first day after it
        """
        anchors = self.grouped(lambda order: order._get_billing_anchor())
        for anchor, orders in anchors.items():
            # Every invoice is noted on the order already.
            orders.with_context(mail_notrack=True)._write_by_code(
                {
                    # The anchor stays, also when the end date cuts this period: should
                    # the subscription go on, the days up to the next boundary are
                    # charged.
                    "billing_anchor_date": anchor,
                    "last_invoice_date": start,
                    "next_invoice_date": end,
                }
            )

    def _follow_chosen_dates(self, vals):
        """Keep the anchor in step with a date or a plan that somebody has chosen.

        :param dict vals: what was written
        """
        if "billing_anchor_date" in vals:
            return
        if "next_invoice_date" not in vals and "plan_id" not in vals:
            return
        for order in self.filtered("next_invoice_date"):
            order.sudo().billing_anchor_date = order._choose_anchor()

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
        # A day that is no boundary lies in the period before.
        start, end = self._get_whole_period(day - timedelta(days=1))
        values = {
            "billing_anchor_date": self._get_billing_anchor(),
            "next_invoice_date": end,
        }
        if self.last_invoice_date:
            values["last_invoice_date"] = start
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
                ("state", "=", "sale"),
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
            and self.state == "sale"
            and self.subscription_state == "3_progress"
            and next_date
            and next_date <= fields.Date.today()
            and (not self.end_date or next_date < self.end_date)
            and not self._is_to_be_paused_by(next_date)
            and not self._get_period(next_date)
        )

    def _is_to_be_paused_by(self, day):
        """Tell whether it will be paused on a day: whichever job runs first that day.

        :param datetime.date day: any day
        :rtype: bool
        """
        self.ensure_one()
        return bool(self.pause_date and self.pause_date <= day)

    def _claim_periods(self, move_of):
        """Record that the next period of each is invoiced, or is free.

        :param dict move_of: {id of a subscription: account.move}; without: free
        :return: the new rows
        :rtype: sale.subscription.period recordset
        """
        Period = self.env["sale.subscription.period"].sudo()
        # A row released in this transaction would still bar the way in the database.
        Period.flush_model(["released"])
        values = []
        for order in self:
            start, end, _whole_days = order._get_next_period()
            move = move_of.get(order.id)
            if move:
                # A module may have charged several periods at once.
                lines = move.invoice_line_ids.filtered(
                    lambda line, o=order, day=start: (
                        line.subscription_id == o and line.charged_from == day
                    )
                )
                end = max([end, *filter(None, lines.mapped("charged_until"))])
            values.append(
                {
                    "subscription_id": order.id,
                    "period_start": start,
                    "period_end": end,
                    "move_id": move.id if move else False,
                }
            )
        return Period.create(values)
