from odoo import fields, models

from ...engine.api import answers
from ...engine.api.payload import check_object, choice, optional_text, require
from ..base.render import amount, number
from ..subscription.timeline import CHURNED, RENEWED
from .subscription_changes import day_of, invalid_day


class FusionBillingApiSubscriptions(models.AbstractModel):
    """What a subscription is, and its end."""

    _name = "fusion.billing.api.subscriptions"
    _description = "API: Subscriptions"

    def _api_subscription(self, reference):
        """State, dates and lines of a subscription (``Subscription``).

        :raises NotFoundError: ``unknown_subscription``
        """
        return self._subscription_answer(self._subscription_in_path(reference))

    def _subscription_answer(self, order):
        """What the API says of a subscription (``Subscription`` as JSON)."""
        window = order._fc_window()
        lines = order.order_line.filtered(lambda line: not line.display_type)
        return answers.Subscription(
            **vars(order._fc_event_data(self)),
            partner_id=order.partner_id.id,
            plan_name=order.plan_id.name,
            currency=order.currency_id.name,
            last_invoice_date=order.last_invoice_date or None,
            end_date=order.end_date or None,
            pause_date=order._fc_day("pause_date"),
            resume_date=order._fc_day("resume_date"),
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
        """End a subscription now, when its running period does, or on a day
        (``SubscriptionCancelled``).

        What it is already, it stays: repeating the request changes nothing. Of one
        that was renewed, the renewal ends: the customer would go on paying for it.

        :param dict payload: ``when``: "now", "period_end" (default) or "on" a ``date``;
            ``reason``
        :raises NotFoundError: ``unknown_subscription``
        :raises BillingError: ``invalid_when``, ``invalid_date``, ``missing_field``,
            ``invalid_reason``, ``subscription_refused``
        """
        check_object(payload, "when", "date", "reason")
        when = choice(payload, "when", ("now", "period_end", "on"), "period_end")
        day = day_of(payload, "date")
        if when == "on":
            require(payload, "date")
        elif day:
            raise invalid_day("date", "is for when on")
        reason = optional_text(payload, "reason")
        order = self._subscription_to_change(reference)
        if order.subscription_state not in (CHURNED, RENEWED):
            self._check_runs(order)
            end = self._end_wished(order, when, day)
            if when == "now":
                self._change(order, order._fc_close, reason=reason)
            elif end != order.end_date:
                self._change(order, order._fc_end_on, end, reason=reason)
        return answers.SubscriptionCancelled(
            subscription_id=order.id,
            external_id=order.fc_external_id or None,
            subscription_state=order.subscription_state,
            end_date=order.end_date or None,
        ).as_json()

    def _end_wished(self, order, when, day):
        """The first day that is not billed any more, after a cancellation (date).

        Never a later one than was agreed; only a day that the app has chosen itself
        can be moved back by another one.

        :raises BillingError: ``invalid_date``
        """
        if when == "now" or (day and day == order.end_date):
            return order.end_date
        if when == "period_end":
            # The expiry job closes it then.
            ends = (order._fc_period_end(), order.end_date)
        else:
            if day <= fields.Date.today():
                raise invalid_day("date", "is not after today; when now ends it today")
            if order.start_date and day < order.start_date:
                raise invalid_day("date", f"is before the start, {order.start_date}")
            ends = (day, order._fc_agreed_end())
        return min(end for end in ends if end)
