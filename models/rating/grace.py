from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL


class FusionBillingGrace(models.AbstractModel):
    """Grace: an invoice can wait for the usage of its window that is on its way."""

    _name = "fusion.billing.grace"
    _description = "Waiting for Usage"

    @api.model
    def _is_waiting(self, order):
        """Whether the window that the next invoice bills waits for its source app."""
        service = order.sudo().fc_service_id
        if service.invoice_wait not in ("hours", "complete"):
            return False
        window = order.sudo().fc_window_ids.filtered(
            lambda w: w.end_day == order.next_invoice_date and not w.is_settled
        )[:1]
        if not window:
            return False
        over_since = fields.Datetime.now() - window.end
        in_time = over_since < timedelta(hours=service.invoice_wait_hours)
        if service.invoice_wait == "hours":
            return in_time
        unlimited = not service.invoice_wait_hours
        return (in_time or unlimited) and not self._is_complete(window)

    def _is_complete(self, window):
        """Whether every metric with a price was declared complete for the window."""
        jobs = self.env["fusion.billing.rater"]._preview(window)
        declared = {
            metric
            for [metric] in self.env.execute_query(
                SQL(
                    """
                    SELECT metric_id FROM fusion_billing_reconciliation
                     WHERE subscription_id = %s AND completed_at IS NOT NULL
                       AND window_start <= %s AND window_end >= %s
                    """,
                    window.subscription_id.id,
                    window.start,
                    window.end,
                )
            )
        }
        return {job.metric for job, _revision in jobs} <= declared
