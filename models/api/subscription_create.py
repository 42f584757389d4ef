from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import mute_logger

from ...engine.api import answers
from ...engine.api.events import check_keys, check_text
from ...engine.api.payload import check_object, optional_text, record_id, require
from ...engine.api.reference import id_in_text
from ...engine.billing.periods import parse_date
from ...engine.billing.quantity import parse_quantity
from ...engine.billing.start import first_billed_day, periods_due, periods_of
from ...engine.errors import BillingError
from ..subscription.timeline import RUNNING

_KEYS = (
    *("external_customer_id", "external_id", "plan_id"),
    *("lines", "start_date", "billed_until"),
)
_LINE_KEYS = frozenset(("product_id", "quantity"))
MAX_LINES = 200
MAX_START_DISTANCE = timedelta(days=3660)  # about ten years, both ways
EXTERNAL_ID_INDEX = "sale_order_fc_external_id_unique"


class FusionBillingApiSubscriptionCreate(models.AbstractModel):
    """A new subscription, or one that runs already and is taken over."""

    _name = "fusion.billing.api.subscription.create"
    _description = "API: New Subscriptions"

    def _create_subscription(self, payload):
        """Create and confirm a subscription.

        With an ``external_id``, a repeated request returns the subscription it
        made the first time. The same id with other content is refused.

        :param dict payload: ``external_customer_id``, ``plan_id``, optional
            ``lines`` [{product_id, quantity}], ``external_id``, ``start_date``,
            ``billed_until``
        :return: ``SubscriptionCreated`` as JSON
        """
        self.ensure_one()
        check_object(payload, *_KEYS)
        customer_id = check_text(
            require(payload, "external_customer_id", "{key} required"),
            "external_customer_id",
            "invalid_external_customer_id",
        )
        plan_id = require(payload, "plan_id", "{key} required")
        plan_id = record_id(plan_id, "plan_id")
        external_id = optional_text(payload, "external_id")
        env = self._api_env()
        link = env["fusion.billing.account.link"]._find(self, customer_id)
        if not link:
            raise BillingError(
                "unknown_customer", "unknown customer", "external_customer_id"
            )
        lines = self._api_order_lines(env, payload.get("lines", []))
        days = self._api_days(payload)
        content = _content(customer_id, plan_id, lines, days)
        order = env["sale.order"]
        if external_id:
            link._lock_serializing()
            order = order.search(
                [("fc_service_id", "=", self.id), ("fc_external_id", "=", external_id)]
            )
        if not order:
            plan = self._api_plan(env, plan_id)
            self._api_check_products(env, lines)
            order = self._api_confirm_order(
                env,
                {
                    "partner_id": link.partner_id.id,
                    "company_id": self.company_id.id,
                    "plan_id": plan.id,
                    "fc_service_id": self.id,
                    "fc_account_link_id": link.id,
                    "fc_external_id": external_id,
                    "fc_created_with": content if external_id else False,
                    "order_line": [fields.Command.create(line) for line in lines],
                    **self._api_order_dates(plan, **days),
                },
            )
        elif differing := self._api_differences(order, link, content):
            raise BillingError(
                "external_id_conflict",
                "external_id is of a subscription that was made with other content:"
                f" {', '.join(differing)}",
                "external_id",
            )
        return answers.SubscriptionCreated(
            subscription_id=order.id,
            subscription_state=order.subscription_state,
            external_id=order.fc_external_id or None,
            invoices_due=self._invoices_due(order),
        ).as_json()

    def _api_differences(self, order, link, content):
        """What a request says otherwise than the one that made the subscription did.

        Held against that request, not against the subscription, which changes. Of one
        that was entered in Odoo, or made before requests were kept, customer and plan
        are all that can be told.

        :param link: the account that the request names
        :param dict content: see :func:`_content`
        :return: keys of the request
        """
        made_with = order.fc_created_with
        if not made_with:
            made_with = content | {"plan_id": order.plan_id.id}
            its_account = order.partner_id, order._fc_account_link(self)
            if its_account != (link.partner_id, link):
                made_with["external_customer_id"] = None
        return [key for key in content if content[key] != made_with[key]]

    def _api_plan(self, env, plan_id):
        plan = env["sale.subscription.plan"].search(
            [
                ("id", "=", plan_id),
                ("company_id", "in", (False, self.company_id.id)),
            ]
        )
        if not plan:
            raise BillingError("invalid_plan_id", "invalid plan_id", "plan_id")
        return plan

    @api.model
    def _api_confirm_order(self, env, values):
        """Create and confirm; what Odoo refuses is the caller's to mend.

        :raises BillingError: ``invalid_external_id``, ``subscription_refused``
        :raises ConcurrencyError: a request for another customer has just taken the
            external id; Odoo repeats this one, which then says so
        """
        if id_in_text(values["fc_external_id"] or ""):
            # In a path it would be Odoo's id of another subscription.
            raise BillingError(
                "invalid_external_id", "invalid external_id", "external_id"
            )
        try:
            # The second of the two is no error worth a line in the log.
            with mute_logger("odoo.sql_db"), env.cr.savepoint():
                order = env["sale.order"].create(values)
                order.action_confirm()
                return order
        except UniqueViolation as exc:
            if exc.diag.constraint_name != EXTERNAL_ID_INDEX:
                raise
            raise ConcurrencyError("external_id was taken just now") from exc
        except (UserError, AccessError) as exc:
            raise BillingError("subscription_refused", str(exc)) from exc

    @api.model
    def _api_order_lines(self, env, lines):
        """The lines that a new subscription is given, as values of order lines.

        :raises BillingError: ``invalid_lines``, ``too_many_lines``, ``invalid_line``,
            ``unknown_field``
        """
        if not isinstance(lines, list):
            raise BillingError("invalid_lines", "lines must be a list", "lines")
        if len(lines) > MAX_LINES:
            raise BillingError("too_many_lines", f"at most {MAX_LINES} lines", "lines")
        digits = env["decimal.precision"].precision_get("Product Unit")
        return [_line_values(line, n, digits) for n, line in enumerate(lines)]

    @api.model
    def _api_check_products(self, env, lines):
        """Refuse a line of what this company does not sell."""
        wanted = {line["product_id"] for line in lines}
        products = env["product.product"].search(
            [
                ("id", "in", list(wanted)),
                ("sale_ok", "=", True),
                ("company_id", "in", (False, self.company_id.id)),
            ]
        )
        for number, line in enumerate(lines):
            if line["product_id"] not in products.ids:
                raise invalid_line(number, "product_id", "is no product that is sold")

    # -- from where on it is billed here -----------------------------------------

    @api.model
    def _api_days(self, payload):
        """The days that a new subscription is given: those that are there, as dates.

        :raises BillingError: ``invalid_start_date``, ``invalid_billed_until``
        """
        days = {
            name: parse_date(payload[name], name, f"invalid_{name}")
            for name in ("start_date", "billed_until")
            if payload.get(name) is not None
        }
        # A mistyped year must not bring a thousand invoices.
        start = days.get("start_date")
        if start and abs(start - fields.Date.today()) > MAX_START_DISTANCE:
            raise BillingError("invalid_start_date", "invalid start_date", "start_date")
        return days

    @api.model
    def _api_order_dates(self, plan, start_date=None, billed_until=None):
        """The dates of a new order, as values for `create`.

        Only of one that is new: a request that is repeated when a period is over, too,
        is answered as it was the first time.

        :raises BillingError: ``missing_field``, ``invalid_billed_until``
        """
        today = fields.Date.today()
        periods = _periods(plan, start_date or today)
        first_day = first_billed_day(periods, billed_until, today)
        values = {"start_date": start_date} if start_date else {}
        if billed_until:
            values |= {
                "start_date": periods.start,
                "next_invoice_date": first_day,
                "fc_billed_until": billed_until,
            }
        return values

    @api.model
    def _invoices_due(self, order):
        """How many invoices of the periods that have begun are still to be made."""
        first_day = order.next_invoice_date
        if order.subscription_state != RUNNING or not first_day:
            return 0
        periods = _periods(order.plan_id, order.start_date)
        if not periods.begins(first_day):
            periods = _periods(order.plan_id, first_day)
        today = fields.Date.today()
        return periods_due(periods, first_day, today, order.end_date or None)


def _content(customer_id, plan_id, lines, days):
    """What a request asks for, in the one way of writing it (JSON).

    The order of the lines does not matter, nor how a quantity is written.

    :param lines: values of the order lines
    :param days: as of ``_api_days``
    """
    return {
        "external_customer_id": customer_id,
        "plan_id": plan_id,
        "lines": sorted([x["product_id"], x["product_uom_qty"]] for x in lines),
        "start_date": days.get("start_date") and days["start_date"].isoformat(),
        "billed_until": days.get("billed_until") and days["billed_until"].isoformat(),
    }


def _line_values(line, number, digits):
    """Values of an order line.

    :param int number: its place in the request, from 0
    :param int digits: decimals that a quantity can have
    :raises BillingError: ``invalid_line``, ``unknown_field``
    """
    if not isinstance(line, dict):
        path = f"lines[{number}]"
        raise BillingError("invalid_line", f"invalid line: {path} is no object", path)
    check_keys(line, _LINE_KEYS, f"lines[{number}].")
    try:
        product_id = record_id(line.get("product_id"), "product_id")
    except BillingError:
        raise invalid_line(number, "product_id", "is no id") from None
    quantity = line_quantity(line.get("quantity", 1), number, digits)
    if not quantity:
        raise invalid_line(number, "quantity", "is not above 0 and up to 10^9")
    return {"product_id": product_id, "product_uom_qty": float(quantity)}


def line_quantity(value, number, digits):
    """The quantity of a line, from 0 up to 10^9 (Decimal).

    :param int number: the line's place in the request, from 0
    :param int digits: decimals that a quantity can have
    :raises BillingError: ``invalid_line``
    """
    try:
        quantity = parse_quantity(value)
    except BillingError:
        raise invalid_line(number, "quantity", "is no decimal") from None
    if quantity > 10**9:
        raise invalid_line(number, "quantity", "is over 10^9")
    # Odoo would round it, and the customer pay for another quantity.
    if quantity != round(quantity, digits):
        raise invalid_line(number, "quantity", f"has more than {digits} decimals")
    return quantity


def invalid_line(number, key, reason):
    """What is wrong with a line of a request (``BillingError``)."""
    path = f"lines[{number}].{key}"
    return BillingError("invalid_line", f"invalid line: {path} {reason}", path)


def _periods(plan, start):
    return periods_of(
        plan.billing_period_unit,
        plan.billing_period_value,
        plan.billing_first_day,
        start,
    )
