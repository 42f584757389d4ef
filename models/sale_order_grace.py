from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL


class SaleOrder(models.Model):
    """Grace: an invoice can wait for the usage of its window that is on its way."""

    _inherit = "sale.order"

    def _is_period_due(self):
        """Not before the source app had its time. A hook of Community's module only:
        with Enterprise late usage goes on the next invoice.
        """
        return super()._is_period_due() and not self._fc_is_waiting()

    def _fc_is_waiting(self):
        """Whether the window that is over still waits for its source app."""
        self.ensure_one()
        service, window = self.sudo().fc_service_id, self._fc_window()
        if service.invoice_wait not in ("hours", "complete"):
            return False
        if not window or window.is_empty:
            return False
        over_since = fields.Datetime.now() - window.end
        in_time = over_since < timedelta(hours=service.invoice_wait_hours)
        if service.invoice_wait == "hours":
            return in_time
        unlimited = not service.invoice_wait_hours
        return (in_time or unlimited) and not self._fc_is_complete(window)

    def _fc_is_complete(self, window):
        """Whether every metric with a price was declared complete for the window.

        :param window: engine ``Window``
        """
        self.ensure_one()
        metrics = {charge.metric_id.id for _o, charge in self._fc_current_charges()}
        declared = {
            metric
            for [metric] in self.env.execute_query(
                SQL(
                    """
                    SELECT metric_id FROM fusion_billing_reconciliation
                     WHERE subscription_id = %s AND completed_at IS NOT NULL
                       AND window_start <= %s AND window_end >= %s
                    """,
                    self.id,
                    window.start,
                    window.end,
                )
            )
        }
        return metrics <= declared
