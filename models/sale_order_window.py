from collections import defaultdict
from datetime import timezone
from zoneinfo import ZoneInfo

from odoo import fields, models

from ..engine.billing import periods


class SaleOrder(models.Model):
    """Billing windows: made of the subscription's own dates, never recomputed."""

    _inherit = "sale.order"

    fc_settled_start = fields.Datetime(
        string="Last Invoiced Window", copy=False, readonly=True
    )
    fc_settled_day = fields.Date(
        string="Day After the Last Invoiced Window", copy=False, readonly=True
    )
    fc_settled_end = fields.Datetime(
        string="End of Last Invoiced Window", copy=False, readonly=True
    )

    fc_window_plan_id = fields.Many2one(
        "sale.subscription.plan",
        string="Plan of the Open Window",
        copy=False,
        readonly=True,
        ondelete="restrict",
        help="The plan was changed inside a window: that window keeps its own.",
    )
    fc_window_plan_day = fields.Date(
        string="Window of That Plan", copy=False, readonly=True
    )

    def _fc_keep_window_plan(self):
        """Note the present plan as that of the window it is about to change in.

        A window has the prices of its first day, also where the plan changes.
        """
        for order in self.filtered("is_subscription"):
            first_day = order.last_invoice_date or order.start_date
            begun = first_day and first_day < fields.Date.today()
            if order.state == "sale" and begun and order._fc_plan() == order.plan_id:
                order.fc_window_plan_id = order.plan_id
                order.fc_window_plan_day = first_day

    def _fc_plan(self):
        """The plan whose charges price the open window."""
        self.ensure_one()
        first_day = self.last_invoice_date or self.start_date
        if self.fc_window_plan_id and self.fc_window_plan_day == first_day:
            return self.fc_window_plan_id
        return self.plan_id

    def _fc_window(self):
        """The window that is open now: ``[last invoice or start, next invoice)``.

        The dates are the subscription's; midnight is that of the company's
        billing time zone. Empty before the first period has begun.

        :return: engine ``Window`` in naive UTC, or None without dates
        """
        self.ensure_one()
        first = self.last_invoice_date or self.start_date
        if not first or not self.next_invoice_date:
            return None
        window = periods.window_between(
            first, self.next_invoice_date, self.company_id.fc_billing_tz
        )
        if self.fc_settled_day and (
            self.fc_settled_day == self.last_invoice_date
            or self.fc_settled_start < window.start < self.fc_settled_end
        ):
            # Exactly where the last one ended, also when the time zone was changed
            # in between: no gap, no overlap.
            window = periods.Window(self.fc_settled_end, window.end)
        return window

    def _fc_period_end(self, today):
        """The day on which the period that runs ends, invoiced or not.

        A period whose invoice is due has begun: the invoice job was not there yet.

        :param today: date
        """
        self.ensure_one()
        day, period = self.next_invoice_date, self.plan_id.billing_period
        if day > today:
            return day
        # From the beginning, where that leads there: 28 February, then 31 March.
        anchor, count = self.start_date, 0
        while anchor + count * period < day:
            count += 1
        if anchor + count * period != day:
            anchor, count = day, 0
        while anchor + count * period <= today:
            count += 1
        return anchor + count * period

    def _fc_is_settling(self):
        """Whether an invoice made now is of the open window.

        While that goes on an invoice is of something else, unless it is the last one.
        """
        self.ensure_one()
        day = self.next_invoice_date
        is_over = not day or day <= fields.Date.today()
        return is_over or bool(self.env.context.get("fc_last_usage"))

    def _fc_settle_window(self):
        """Remember the open window as the one that is being invoiced."""
        orders_of_window = defaultdict(self.browse)
        for order in self:
            window = order._fc_window()
            if window and order.next_invoice_date > fields.Date.today():
                continue  # see _fc_is_settling
            if window and not window.is_empty and order.fc_settled_end != window.end:
                orders_of_window[window, order.next_invoice_date] |= order
        for (window, day), orders in orders_of_window.items():
            # Tracking would note the total before the lines restart at 0.
            orders.with_context(mail_notrack=True).write(
                {
                    "fc_settled_start": window.start,
                    "fc_settled_end": window.end,
                    "fc_settled_day": day,
                }
            )

    def _fc_before_jump(self, day):
        """Keep the open window from being left behind, when dates are moved by hand.

        After a pause, say. What it has come to is put in the ledger and goes on the
        next invoice.

        :param day: the new ``last_invoice_date`` (date or None)
        """
        for order in self.filtered("is_subscription"):
            if order.state != "sale" or not day or not order._fc_window():
                continue
            if day >= order.next_invoice_date and day != order.fc_settled_day:
                order._fc_rate_usage(settle=True)

    def _fc_local_date(self, moment):
        """The date of a naive UTC datetime in the company's billing time zone."""
        self.ensure_one()
        tz = ZoneInfo(self.company_id.fc_billing_tz)
        return moment.replace(tzinfo=timezone.utc).astimezone(tz).date()
