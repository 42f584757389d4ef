from odoo import api, fields, models

from ...engine.webhook.event_types import SubscriptionData
from .timeline import CHURNED, RUNNING


class FusionBillingOrderWindows(models.AbstractModel):
    """What others ask of a subscription: its window, its services, what it is."""

    _name = "fusion.billing.order.windows"
    _description = "Billing Windows of an Order"

    def _fc_services(self):
        """Services that are told about this subscription."""
        self.ensure_one()
        return self.sudo().fc_service_id or self.partner_id._fc_services(
            self.company_id
        )

    def _fc_event_data(self, service):
        """What a webhook says of a subscription (``SubscriptionData``)."""
        self.ensure_one()
        return SubscriptionData(
            subscription_id=self.id,
            external_id=self.fc_external_id or None,
            name=self.name,
            external_customer_id=self._fc_account_link(service).external_id or None,
            plan_id=self.plan_id.id,
            subscription_state=self.subscription_state,
            start_date=self.start_date or None,
            next_invoice_date=self.next_invoice_date or None,
        )

    def _fc_moved_since(self, since_of):
        """Have them rated again, and usage from then on asked which window it is of.

        :param dict since_of: order -> naive UTC; where there is none, its windows are
            the same
        """
        Queue = self.env["fusion.billing.rating.queue"].sudo()
        orders = self.filtered("is_subscription").sudo()
        Queue._add(orders, [since_of.get(order) for order in orders])
        moved = {order.id: since for order in orders if (since := since_of.get(order))}
        if moved:
            self.env["fusion.billing.allocation"]._allocate(orders.browse(moved), moved)

    def _fc_window(self):
        """The window that is shown as the current one (``fusion.billing.window``).

        The one that the next invoice bills; where that is settled already, or before
        the first invoice, the one that runs. Empty: it has none, or none any more.
        """
        self.ensure_one()
        windows = self.sudo().fc_window_ids.filtered(lambda w: w.kind == "billing")
        windows = windows.sorted("start")
        day = self.next_invoice_date
        if not day:
            return windows[-1:]
        ahead = windows.filtered(lambda w: w.end_day >= day and not w.is_settled)
        return ahead[:1] or windows[-1:]

    def _fc_period_end(self):
        """The day on which the period that runs ends, invoiced or not (date)."""
        self.ensure_one()
        self.env["fusion.billing.timeline"]._catch_up(self)
        now = fields.Datetime.now()
        ahead = self.sudo().fc_window_ids.filtered(lambda w: w.end > now)
        return ahead.sorted("start")[:1].end_day or fields.Date.today()

    @api.model
    def _fc_running_domain(self):
        return [
            ("is_subscription", "=", True),
            ("subscription_state", "=", RUNNING),
            ("start_date", "!=", False),
            ("next_invoice_date", "!=", False),
        ]

    def _fc_close(self):
        """End these subscriptions today."""
        for order in self:
            # What closing is called, editions do not agree on; the fields they do.
            if hasattr(order, "set_close"):
                order.set_close()
            else:
                order.write(
                    {"end_date": fields.Date.today(), "subscription_state": CHURNED}
                )
