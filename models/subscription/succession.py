from datetime import datetime

from odoo import api, fields, models

from .timeline import CHURNED, RENEWED, RUNNING


class FusionBillingSuccession(models.AbstractModel):
    """Renewals: usage that is addressed to the old order belongs to the new one as soon
    as its period does. Source apps need not know that there was a renewal.
    """

    _name = "fusion.billing.succession"
    _description = "Usage of Renewals"

    @api.model
    def _successors(self, orders):
        """The confirmed renewals of these orders: dict of order -> its renewal."""
        renewed = orders.filtered(lambda o: o.subscription_state == RENEWED)
        if not renewed:
            return {}
        renewals = orders.sudo().search(
            [
                ("subscription_id", "in", renewed.ids),
                ("is_subscription", "=", True),
                ("state", "=", "sale"),
            ],
            order="id",
        )
        return {renewal.subscription_id: renewal for renewal in renewals}

    @api.model
    def _renewed_from(self, order):
        """The instant (naive UTC) from which usage belongs to the successor."""
        last = (
            self.env["fusion.billing.window"]
            .sudo()
            .search([("subscription_id", "=", order.id)], order="end desc", limit=1)
        )
        if last:
            return last.end
        # The old order has no window left: all its time belongs to the renewal.
        renewal = self._successors(order).get(order, order.browse()).sudo()
        return renewal.fc_window_ids.sorted("start")[:1].start or datetime.max

    @api.model
    def _hand_over(self, orders):
        """Move the usage of the time after a renewal to the renewal.

        It was recorded ahead of the renewal, or by a request that ran beside it.
        """
        for order, successor in self._successors(orders).items():
            if successor.subscription_state != RUNNING or not successor.start_date:
                continue
            if order.fc_service_id and not successor.fc_service_id:
                successor.sudo().fc_service_id = order.fc_service_id
            self._move(order, successor, self._renewed_from(order))

    @api.model
    def _is_not_begun(self, order):
        """Whether this renewal was never invoiced: what it ends goes on then."""
        parent = order.sudo().subscription_id
        return bool(
            parent.is_subscription
            and parent.subscription_state == RENEWED
            and not order.last_invoice_date
            and not order.sudo().fc_window_ids.filtered("settled_at")
        )

    @api.model
    def _give_back(self, parent):
        """Its renewal ended before its first invoice: usage, windows and keys return.

        :param parent: ``sale.order`` that runs again, or is paused
        :return: whether there was such a renewal
        """
        found = False
        ended = parent.sudo().search(
            [
                ("subscription_id", "=", parent.id),
                ("is_subscription", "=", True),
                ("subscription_state", "=", CHURNED),
                ("fc_window_ids", "!=", False),
            ]
        )
        for renewal in ended:
            if not renewal.fc_window_ids.filtered("settled_at"):
                self.env["fusion.billing.timeline"]._given_back(renewal)
                self._move(renewal, parent, datetime.min, with_voided=True)
                found = True
        return found

    def _move(self, source, target, start, with_voided=False):
        """Move the usage from ``start`` on from one order of a chain to another.

        An event that the other has already, under the same key, is voided here: the
        source has sent it twice.
        """
        Usage = self.env["fusion.billing.usage"].sudo()
        Usage.flush_model()
        self.env.cr.execute(
            """
            WITH late AS (
                SELECT id, metric_id, idempotency_key, fingerprint
                  FROM fusion_billing_usage
                 WHERE subscription_id = %(source)s AND period_start >= %(start)s
                   AND (voided_at IS NULL OR %(with_voided)s)
            ), known AS (
                SELECT late.id, late.fingerprint = u.fingerprint AS same
                  FROM late
                  JOIN fusion_billing_usage u
                    ON u.subscription_id = %(target)s
                   AND u.metric_id = late.metric_id
                   AND u.idempotency_key = late.idempotency_key
            )
            UPDATE fusion_billing_usage u
               SET subscription_id = CASE WHEN known.id IS NULL
                   THEN %(target)s ELSE subscription_id END,
                   unallocated = known.id IS NOT NULL AND u.voided_at IS NULL,
                   voided_at = CASE WHEN known.same AND u.voided_at IS NULL
                                    THEN %(now)s ELSE u.voided_at END,
                   void_uid = CASE WHEN known.same AND u.voided_at IS NULL
                                   THEN %(uid)s ELSE u.void_uid END,
                   void_reason = CASE WHEN known.same AND u.voided_at IS NULL
                                      THEN %(reason)s ELSE u.void_reason END
              FROM late LEFT JOIN known ON known.id = late.id
             WHERE u.id = late.id
               AND (known.id IS NULL OR known.same OR NOT u.unallocated)
            """,
            {
                "source": source.id,
                "target": target.id,
                "start": start,
                "with_voided": with_voided,
                "now": fields.Datetime.now(),
                "uid": self.env.uid,
                "reason": self.env._("Recorded on %s, too.", target.name),
            },
        )
        if not self.env.cr.rowcount:
            return
        Usage.invalidate_model()
        self.env["fusion.billing.rating.queue"].sudo()._add_usage(
            {source.id: start, target.id: start}
        )
        self.env["fusion.billing.allocation"]._allocate(
            target.sudo(), {target.id: start}
        )
