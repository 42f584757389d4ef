from odoo import models
from odoo.tools import SQL

from ..engine.billing import periods


class SaleOrder(models.Model):
    """The last window that is over: what prices can be tried on."""

    _inherit = "sale.order"

    def _fc_current_charges(self):
        # Whatever view an invoice is made from: one that shows archived records would
        # have it bill the prices of drafts.
        return super(
            SaleOrder, self.with_context(active_test=True)
        )._fc_current_charges()

    def _fc_last_windows(self, now):
        """The latest window of each subscription that has ended by ``now``.

        That is the open one, where its invoice is due; else the latest that was
        invoiced or is in the ledger; else the period before the open window.

        :param datetime now: naive UTC
        :return: {subscription: engine ``Window``}; one without such a window is not in
        """
        ledger = {
            order_id: periods.Window(start, end)
            for order_id, start, end in self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT ON (subscription_id)
                           subscription_id, window_start, window_end
                      FROM fusion_billing_rating
                     WHERE subscription_id = ANY(%s) AND window_end <= %s
                       AND (explanation ? 'superseded') IS NOT TRUE
                     ORDER BY subscription_id, window_end DESC, window_start
                    """,
                    self.ids,
                    now,
                )
            )
        }
        windows = {}
        for order in self:
            candidates = [order._fc_window(), ledger.get(order.id)]
            if order.fc_settled_start and order.fc_settled_end:
                candidates.append(
                    periods.Window(order.fc_settled_start, order.fc_settled_end)
                )
            ended = [w for w in candidates if w and not w.is_empty and w.end <= now]
            if not ended and (window := order._fc_period_before()):
                ended = [window] if window.end <= now else []
            if ended:
                windows[order] = max(ended, key=lambda window: window.end)
        return windows

    def _fc_period_before(self):
        """The period that ended where the open window begins, by the calendar.

        Of a subscription that was invoiced before its usage was billed here.

        :return: engine ``Window``, or None: the open window is the first one
        """
        self.ensure_one()
        start, end = self.start_date, self.last_invoice_date
        period = self.plan_id.billing_period
        if not (start and end and period and start < end):
            return None
        # From the beginning, where that leads there: 28 February, then 31 March.
        count = 0
        while start + (count + 1) * period < end:
            count += 1
        first = start + count * period
        if start + (count + 1) * period != end:
            first = max(start, end - period)
        return periods.window_between(first, end, self.company_id.fc_billing_tz)
