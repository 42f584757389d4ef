from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from ...engine.api.events import check_keys
from ...engine.api.payload import check_object, choice, record_id
from ...engine.billing.periods import parse_date
from ...engine.errors import BillingError
from ..subscription.timeline import CHURNED, PAUSED, RENEWED, RUNNING
from .subscription_create import MAX_LINES, invalid_line, line_quantity

_LINE_KEYS = frozenset(("line_id", "product_id", "quantity"))
MAX_DISTANCE = timedelta(days=3660)  # about ten years


class FusionBillingApiSubscriptionChanges(models.AbstractModel):
    """Changes of subscriptions. Each request says what is wished: repeated, it finds
    that, and changes nothing.
    """

    _name = "fusion.billing.api.subscription.changes"
    _description = "API: Changes of Subscriptions"

    def _subscription_to_change(self, reference):
        """The subscription that a path names, or what it was renewed into.

        Requests of one subscription run one after the other from here on.

        :raises NotFoundError: ``unknown_subscription``
        """
        order = self._with_renewals(self._subscription_in_path(reference))[-1]
        order._fc_one_request_at_a_time()
        return order.with_env(self._api_env())

    def _check_runs(self, order):
        if order.subscription_state in (CHURNED, RENEWED):
            raise BillingError(
                "subscription_refused", "the subscription has ended; reactivate it"
            )
        if order.subscription_state not in (RUNNING, PAUSED):
            raise BillingError(
                "subscription_refused", "the subscription is not running"
            )

    def _change(self, order, change, *arguments, reason=None):
        """Do what a button does, and say in the chatter who wished it.

        :param str reason: what the app says about it
        :raises BillingError: ``subscription_refused``: Odoo refuses it
        """
        try:
            with self.env.cr.savepoint():
                change(*arguments)
                order.message_post(
                    body=self.env._(
                        "%(service)s requested this change. %(reason)s",
                        service=self.name,
                        reason=reason or "",
                    )
                )
        except (UserError, AccessError) as exc:
            raise BillingError("subscription_refused", str(exc)) from exc

    def _api_undo_cancel(self, reference):
        """Take back a cancellation as of a day that an app asked for
        (``Subscription``).

        :raises NotFoundError: ``unknown_subscription``
        :raises BillingError: ``subscription_refused``: it has ended
        """
        order = self._subscription_to_change(reference)
        self._check_runs(order)
        if order._fc_is_cancelled():
            self._change(order, order._fc_keep)
        return self._subscription_answer(order)

    def _api_reactivate(self, reference):
        """Let a subscription that has ended run again, from today on
        (``Subscription``).

        :raises NotFoundError: ``unknown_subscription``
        :raises BillingError: ``subscription_refused``, ``not_available``
        """
        order = self._subscription_to_change(reference)
        if order.subscription_state == PAUSED:
            raise BillingError(
                "subscription_refused", "the subscription is paused; resume it"
            )
        if order.subscription_state != RUNNING:
            self._change(order, order._fc_reactivate)
        return self._subscription_answer(order)

    # -- pauses ------------------------------------------------------------------

    def _api_pause(self, reference, payload):
        """Pause a subscription, now or on a day, until it is resumed or up to a day
        (``Subscription``).

        :param dict payload: ``from``, ``until``: days; today, and until it is resumed
        :raises NotFoundError: ``unknown_subscription``
        :raises BillingError: ``invalid_from``, ``invalid_until``,
            ``subscription_refused``, ``not_available``
        """
        check_object(payload, "from", "until")
        start, until = day_of(payload, "from"), day_of(payload, "until")
        if start and until and until <= start:
            raise invalid_day("until", "is not after from")
        order = self._subscription_to_change(reference)
        self._check_runs(order)
        today = fields.Date.today()
        planned = start if start and start > today else None
        is_paused = order.subscription_state == PAUSED
        standing = order._fc_day("pause_date"), order._fc_day("resume_date")
        if standing == (planned, until) and (is_paused or planned):
            return self._subscription_answer(order)
        if until and until <= today:
            raise invalid_day("until", "is not after today")
        if not is_paused:
            if start and start < today:
                raise invalid_day("from", "is before today")
            self._change(order, order._fc_pause, planned, until)
        elif planned:
            raise BillingError(
                "subscription_refused", "the subscription is paused already"
            )
        else:
            self._change(order, order._fc_resume_on, until)
        return self._subscription_answer(order)

    def _api_resume(self, reference, payload):
        """End a pause, now or on a day, or take back one that is planned
        (``Subscription``).

        :param dict payload: ``date``: the day on which it runs again; today
        :raises NotFoundError: ``unknown_subscription``
        :raises BillingError: ``invalid_date``, ``subscription_refused``,
            ``not_available``
        """
        check_object(payload, "date")
        day = day_of(payload, "date")
        order = self._subscription_to_change(reference)
        self._check_runs(order)
        today = fields.Date.today()
        planned = order._fc_day("pause_date")
        is_paused = order.subscription_state == PAUSED
        if day and day == order._fc_day("resume_date"):
            return self._subscription_answer(order)
        if day and day > today:
            if not (is_paused or planned):
                raise BillingError(
                    "subscription_refused", "the subscription is not paused"
                )
            self._change(order, order._fc_resume_on, day)
        elif is_paused or planned:
            if day and day < today:
                raise invalid_day("date", "is before today")
            self._change(order, order._fc_resume)
        return self._subscription_answer(order)

    # -- plan and lines ----------------------------------------------------------

    def _api_update_subscription(self, reference, payload):
        """Change plan and lines of a subscription (``Subscription``).

        What is not named stays.

        :param dict payload: ``plan_id``; ``lines`` [{line_id or product_id,
            quantity}]; ``when``: "now" or "period_end" (default)
        :raises NotFoundError: ``unknown_subscription``
        :raises BillingError: ``invalid_plan_id``, ``invalid_lines``, ``invalid_line``,
            ``too_many_lines``, ``invalid_when``, ``subscription_refused``,
            ``not_available``
        """
        check_object(payload, "plan_id", "lines", "when")
        is_now = choice(payload, "when", ("now", "period_end"), "period_end") == "now"
        env = self._api_env()
        plan = env["sale.subscription.plan"]
        if "plan_id" in payload:
            plan = self._api_plan(env, record_id(payload["plan_id"], "plan_id"))
        digits = env["decimal.precision"].precision_get("Product Unit")
        wishes = line_wishes(payload.get("lines", []), digits)
        order = self._subscription_to_change(reference)
        self._check_runs(order)
        quantities = self._quantities_to_change(order, wishes)
        if plan and plan != order.plan_id or quantities:
            self._change(order, self._change_content, order, plan, quantities, is_now)
        return self._subscription_answer(order)

    def _change_content(self, order, plan, quantities, is_now):
        if plan and plan != order.plan_id:
            order._fc_change_plan(plan.with_env(order.env), is_now)
        if quantities:
            order._fc_change_lines(quantities, is_now)

    def _quantities_to_change(self, order, wishes):
        """What of the lines that a request names is not as it wishes.

        :param wishes: as of :func:`line_wishes`
        :return: dict of ``sale.order.line``, or ``product.product`` that the
            subscription is to get -> quantity
        :raises BillingError: ``invalid_line``
        """
        lines = order.order_line.filtered(_can_be_changed)
        quantities = {}
        for number, wish in enumerate(wishes):
            if "line_id" in wish:
                found = lines.filtered(lambda x, w=wish: x.id == w["line_id"])
                if not found:
                    raise invalid_line(number, "line_id", "is no line to be changed")
            else:
                found = lines.filtered(
                    lambda x, w=wish: x.product_id.id == w["product_id"]
                )
                if len(found) > 1:
                    reason = "is on several lines; name one by line_id"
                    raise invalid_line(number, "product_id", reason)
                found = found or self._product_to_add(order, number, wish)
            if found in quantities:
                raise invalid_line(number, next(iter(wish)), "is named twice")
            current = found.product_uom_qty if found._name == "sale.order.line" else 0.0
            quantities[found] = (current, float(wish["quantity"]))
        return {
            record: wanted
            for record, (current, wanted) in quantities.items()
            if current != wanted
        }

    def _product_to_add(self, order, number, wish):
        product = order.env["product.product"].search(
            [
                ("id", "=", wish["product_id"]),
                ("sale_ok", "=", True),
                ("recurring_invoice", "=", True),
                ("company_id", "in", (False, self.company_id.id)),
            ]
        )
        if not product:
            reason = "is no product that is billed each period"
            raise invalid_line(number, "product_id", reason)
        return product


def _can_be_changed(line):
    """Whether an app may set the quantity: of a product that is billed each period.

    Not of usage or a discount, nor of what belongs to another line.
    """
    return (
        line.recurring_invoice
        and not (line.display_type or line.fc_charge_id or line.is_downpayment)
        and not (line.combo_item_id or line.linked_line_id)
        and line.price_unit >= 0
    )


def day_of(payload, key):
    """A day of a request, or None (date).

    :raises BillingError: ``invalid_<key>``
    """
    if payload.get(key) is None:
        return None
    day = parse_date(payload[key], key, f"invalid_{key}")
    if abs(day - fields.Date.today()) > MAX_DISTANCE:
        raise invalid_day(key, "is over ten years away")
    return day


def invalid_day(key, reason):
    return BillingError(f"invalid_{key}", f"{key} {reason}", key)


def line_wishes(lines, digits):
    """The lines that a change names, checked: line_id or product_id, and quantity.

    :param int digits: decimals that a quantity can have
    :return: list of dict, quantities as Decimal
    :raises BillingError: ``invalid_lines``, ``too_many_lines``, ``invalid_line``,
        ``unknown_field``
    """
    if not isinstance(lines, list):
        raise BillingError("invalid_lines", "lines must be a list", "lines")
    if len(lines) > MAX_LINES:
        raise BillingError("too_many_lines", f"at most {MAX_LINES} lines", "lines")
    return [_line_wish(line, number, digits) for number, line in enumerate(lines)]


def _line_wish(line, number, digits):
    if not isinstance(line, dict):
        path = f"lines[{number}]"
        raise BillingError("invalid_line", f"invalid line: {path} is no object", path)
    check_keys(line, _LINE_KEYS, f"lines[{number}].")
    keys = [key for key in ("line_id", "product_id") if key in line]
    if len(keys) != 1:
        raise invalid_line(number, "line_id", "or product_id, one of them, is needed")
    if "quantity" not in line:
        raise invalid_line(number, "quantity", "is missing")
    quantity = line_quantity(line["quantity"], number, digits)
    try:
        return {keys[0]: record_id(line[keys[0]], keys[0]), "quantity": quantity}
    except BillingError:
        raise invalid_line(number, keys[0], "is no id") from None
