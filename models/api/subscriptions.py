from odoo import models
from odoo.exceptions import UserError

from ...engine.api import answers
from ...engine.api.payload import check_object, optional_text
from ...engine.errors import BillingError
from ..base.render import amount, number
from ..subscription.timeline import CHURNED, PAUSED, RENEWED, RUNNING


class FusionBillingApiSubscriptions(models.AbstractModel):
    """What a subscription is, and its end."""

    _name = "fusion.billing.api.subscriptions"
    _description = "API: Subscriptions"

    def _api_subscription(self, reference):
        """State, dates and lines of a subscription (``Subscription``).

        :raises NotFoundError: ``unknown_subscription``
        """
        order = self._subscription_in_path(reference)
        window = order._fc_window()
        lines = order.order_line.filtered(lambda line: not line.display_type)
        return answers.Subscription(
            **vars(order._fc_event_data(self)),
            partner_id=order.partner_id.id,
            plan_name=order.plan_id.name,
            currency=order.currency_id.name,
            last_invoice_date=order.last_invoice_date or None,
            end_date=order.end_date or None,
            window=answers.Window(window.start, window.end) if window else None,
            successor_id=self._with_renewals(order)[1:2].id or None,
            lines=[
                answers.SubscriptionLine(
                    line_id=line.id,
                    product_id=line.product_id.id or None,
                    name=line.name,
                    quantity=number(line.product_uom_qty),
                    price_unit=number(line.price_unit),
                    amount=amount(order.currency_id, line.price_subtotal),
                    metric_code=line.fc_charge_id.metric_id.code or None,
                    rated_at=line.fc_charge_id and order.fc_rated_at or None,
                )
                for line in lines
            ],
        ).as_json()

    def _api_cancel_subscription(self, reference, payload):
        """End a subscription now, or when its running period does
        (``SubscriptionCancelled``).

        What it is already, it stays: repeating the request changes nothing. Of one
        that was renewed, the renewal ends: the customer would go on paying for it.

        :param dict payload: ``when``: "now" or "period_end" (default); ``reason``
        :raises NotFoundError: ``unknown_subscription``
        :raises BillingError: ``invalid_when``, ``invalid_reason``,
            ``subscription_refused``
        """
        check_object(payload, "when", "reason")
        when = payload.get("when", "period_end")
        if when not in ("now", "period_end"):
            raise BillingError("invalid_when", "when is now or period_end", "when")
        reason = optional_text(payload, "reason")
        order = self._with_renewals(self._subscription_in_path(reference))[-1]
        if order.subscription_state not in (CHURNED, RENEWED):
            if order.subscription_state not in (RUNNING, PAUSED):
                raise BillingError(
                    "subscription_refused", "the subscription is not running"
                )
            self._end_subscription(order, when, reason)
        return answers.SubscriptionCancelled(
            subscription_id=order.id,
            external_id=order.fc_external_id or None,
            subscription_state=order.subscription_state,
            end_date=order.end_date or None,
        ).as_json()

    def _end_subscription(self, order, when, reason):
        try:
            with self.env.cr.savepoint():
                if when == "now":
                    order._fc_close()
                else:
                    # The first day that is not billed; the expiry job closes it then.
                    end_date = order._fc_period_end()
                    if order.end_date and order.end_date <= end_date:
                        return
                    order.end_date = end_date
                order.message_post(
                    body=self.env._(
                        "%(service)s cancelled this subscription. %(reason)s",
                        service=self.name,
                        reason=reason or "",
                    )
                )
        except UserError as exc:
            raise BillingError("subscription_refused", str(exc)) from exc
