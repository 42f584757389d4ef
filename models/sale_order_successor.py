from datetime import datetime

from odoo import fields, models

from ..engine.billing import periods
from .sale_order import RENEWED, RUNNING


class SaleOrder(models.Model):
    """Renewals: usage that is addressed to the old order belongs to the new one as
    soon as its period does. Source apps need not know that there was a renewal.
    """

    _inherit = "sale.order"

    def _fc_successors(self):
        """The confirmed renewals of these orders: dict of order -> its renewal."""
        renewed = self.filtered(lambda o: o.subscription_state == RENEWED)
        if not renewed:
            return {}
        renewals = self.sudo().search(
            [
                ("subscription_id", "in", renewed.ids),
                ("is_subscription", "=", True),
                ("state", "=", "sale"),
            ],
            order="id",
        )
        return {renewal.subscription_id: renewal for renewal in renewals}

    def _fc_renewed_from(self):
        """The instant (naive UTC) from which usage belongs to the successor."""
        self.ensure_one()
        if not self.next_invoice_date:
            return datetime.max
        return periods.day_start_utc(
            self.next_invoice_date, self.company_id.fc_billing_tz
        )

    def _fc_hand_over_usage(self):
        """Move the usage of the time after a renewal to the renewal.

        It was recorded ahead of the renewal, or by a request that ran beside it. An
        event the successor has already, under the same key, is voided here: the
        source has sent it twice.
        """
        Usage = self.env["fusion.billing.usage"].sudo()
        for order, successor in self._fc_successors().items():
            if successor.subscription_state != RUNNING or not successor.start_date:
                continue
            if order.fc_service_id and not successor.fc_service_id:
                successor.sudo().fc_service_id = order.fc_service_id
            Usage.flush_model()
            self.env.cr.execute(
                """
                WITH late AS (
                    SELECT id, metric_id, idempotency_key, fingerprint
                      FROM fusion_billing_usage
                     WHERE subscription_id = %(order)s AND voided_at IS NULL
                       AND period_start >= %(start)s
                ), known AS (
                    SELECT late.id, late.fingerprint = u.fingerprint AS same
                      FROM late
                      JOIN fusion_billing_usage u
                        ON u.subscription_id = %(successor)s
                       AND u.metric_id = late.metric_id
                       AND u.idempotency_key = late.idempotency_key
                )
                UPDATE fusion_billing_usage u
                   SET subscription_id = CASE WHEN known.id IS NULL
                       THEN %(successor)s ELSE subscription_id END,
                       unallocated = known.id IS NOT NULL,
                       voided_at = CASE WHEN known.same THEN %(now)s END,
                       void_uid = CASE WHEN known.same THEN %(uid)s END,
                       void_reason = CASE WHEN known.same THEN %(reason)s END
                  FROM late LEFT JOIN known ON known.id = late.id
                 WHERE u.id = late.id
                   AND (known.id IS NULL OR known.same OR NOT u.unallocated)
                """,
                {
                    "order": order.id,
                    "successor": successor.id,
                    "start": order._fc_renewed_from(),
                    "now": fields.Datetime.now(),
                    "uid": self.env.uid,
                    "reason": self.env._(
                        "Recorded on the renewal %s, too.", successor.name
                    ),
                },
            )
            if self.env.cr.rowcount:
                Usage.invalidate_model()
                start = order._fc_renewed_from()
                self.env["fusion.billing.rating.queue"].sudo()._add_usage(
                    {order.id: start, successor.id: start}
                )
                successor.sudo()._fc_allocate({successor.id: start})
