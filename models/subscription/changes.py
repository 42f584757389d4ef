from dataclasses import replace

from odoo import api, models

from ...engine.webhook.event_types import SubscriptionUpdatedData
from ...engine.webhook.subscription_changes import Known, Line, changes_between
from ..base.render import number
from ..webhook.pending import noted_before
from .timeline import CHURNED, PAUSED, RENEWED, RUNNING

_QUOTATIONS = (False, "1_draft", "2_renewal")
_TOLD = (RUNNING, PAUSED, RENEWED, CHURNED)
_NOTED = "fusion_centralized_billing.subscription_changes"
FIELDS = frozenset(
    (
        *("plan_id", "subscription_state", "start_date", "end_date"),
        *("next_invoice_date", "pause_date", "resume_date"),
    )
)
LINE_FIELDS = frozenset(("product_uom_qty", "product_id", "recurring_invoice"))


class FusionBillingSubscriptionChanges(models.AbstractModel):
    """Tells apps what changed of their subscriptions, whoever has changed it."""

    _name = "fusion.billing.subscription.changes"
    _description = "Changes of Subscriptions"

    @api.model
    def _note(self, orders):
        """Remember what orders are now: something of them is about to change.

        Apps are told of the difference at the end of the transaction.
        """
        told = orders.sudo().filtered(
            lambda o: o.is_subscription and o.subscription_state in _TOLD
        )
        if not told:
            return
        noted = noted_before(self.env.cr, _NOTED, self.sudo()._tell_all)
        for order in told:
            if order.id not in noted:
                noted[order.id] = self._know(order)

    @api.model
    def _note_fields(self, orders, names):
        """As :meth:`_note`, if one of the fields that are written is told.

        An invoice moves both dates: that is no change, and nothing is read for it.
        """
        told = FIELDS & names
        if told - {"next_invoice_date"} or (told and "last_invoice_date" not in names):
            self._note(orders)

    @api.model
    def _know(self, order):
        lines = order.order_line.filtered(
            lambda x: x.recurring_invoice and not (x.display_type or x.fc_charge_id)
        )
        return Known(
            plan_id=order.plan_id.id,
            subscription_state=order.subscription_state,
            start_date=order.start_date or None,
            last_invoice_date=order.last_invoice_date or None,
            next_invoice_date=order.next_invoice_date or None,
            end_date=order.end_date or None,
            pause_date=order._fc_day("pause_date"),
            resume_date=order._fc_day("resume_date"),
            lines={
                line.id: Line(line.product_id.id or None, number(line.product_uom_qty))
                for line in lines
            },
        )

    def _tell_all(self, noted):
        orders = self.env["sale.order"].browse(noted).exists()
        for order in orders.filtered("is_subscription"):
            self._tell(order, noted[order.id])

    def _tell(self, order, before):
        changes = changes_between(before, self._know(order))
        if changes is None:
            return
        for service in order._fc_services():
            data = SubscriptionUpdatedData(
                **vars(order._fc_event_data(service)),
                previous_state=before.subscription_state,
                changes=changes,
            )
            self.env["fusion.billing.webhook"]._enqueue(
                service, "subscription.updated", data.as_json()
            )

    @api.model
    def _state_changed(self, order, previous_state):
        """Tell at once of a state: what follows from it is told after it.

        The first time a subscription runs, it was created for the apps.

        :param str previous_state: or False
        """
        order = order.sudo()
        noted = self.env.cr.precommit.data.get(_NOTED, {})
        before = noted.pop(order.id, None)
        if order.subscription_state == RUNNING and previous_state in _QUOTATIONS:
            for service in order._fc_services():
                data = order._fc_event_data(service)
                self.env["fusion.billing.webhook"]._enqueue(
                    service, "subscription.created", data.as_json()
                )
        elif previous_state not in (False, "1_draft"):
            before = before or self._know(order)
            self.sudo()._tell(order, replace(before, subscription_state=previous_state))
