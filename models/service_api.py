from functools import wraps

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import mute_logger

from ..engine.api_errors import error_body
from ..engine.billing import money
from ..engine.billing.quantity import parse_quantity
from ..engine.errors import BillingError, NotFoundError
from ..engine.events import check_text
from ..engine.payload import check_object, flag, optional_text, record_id, require
from ..engine.reference import id_in_text

MAX_EVENTS_PARAMETER = "fusion_centralized_billing.max_events"
MAX_LINES = 200
EXTERNAL_ID_INDEX = "sale_order_fc_external_id_unique"


def _answers_errors(handler):
    """Turn refusals into the error dict, so that a handler never raises on bad input.

    Database errors pass: Odoo repeats the request after a serialization failure.
    """

    @wraps(handler)
    def wrapper(self, payload):
        try:
            check_object(payload)
            return handler(self, payload)
        except BillingError as error:
            return error_body(error)

    return wrapper


class FusionBillingService(models.Model):
    """What the HTTP API does. Each handler takes the decoded JSON body and returns
    the answer: ``{'status': 'ok', ...}`` or ``{'status': 'error', 'error', 'code'}``.
    """

    _inherit = "fusion.billing.service"

    def _api_env(self):
        """Handlers act for the service: as superuser, in its company alone.

        Nobody gets an e-mail for each record that an app has put in his name.
        """
        self.ensure_one()
        service = self.sudo().with_company(self.company_id)
        return service.with_context(mail_auto_subscribe_no_notify=True).env

    # -- customers -------------------------------------------------------------

    @_answers_errors
    def _api_upsert_customer(self, payload):
        """Create the customer of an external account, or update name and e-mail.

        :param dict payload: ``external_id``, optional ``name``, ``email``
        :return: ``{'status', 'partner_id', 'external_id', 'contact'}``; ``contact`` is
            ``kept`` where name and e-mail are not the app's to write, else ``written``
        """
        self.ensure_one()
        external_id = check_text(
            require(payload, "external_id", "{key} required"),
            "external_id",
            "invalid_external_id",
        )
        name = optional_text(payload, "name")
        email = optional_text(payload, "email")
        env = self._api_env()
        link = env["fusion.billing.account.link"]._resolve_or_create_partner(
            self, external_id, name=name, email=email
        )
        is_written = link._write_contact(name, email)
        return {
            "status": "ok",
            "partner_id": link.partner_id.id,
            "external_id": link.external_id,
            "contact": "written" if is_written else "kept",
        }

    def _api_customer(self, external_id):
        """The customer of an external account.

        :raises NotFoundError: ``unknown_customer``
        """
        link = self.env["fusion.billing.account.link"]
        if "\x00" not in external_id:  # PostgreSQL has no NUL
            link = link._find(self, external_id)
        if not link:
            raise NotFoundError("unknown_customer", "unknown customer")
        return {
            "status": "ok",
            "partner_id": link.partner_id.id,
            "external_id": link.external_id,
            "name": link.partner_id.name or None,
            "email": link.partner_id.email or None,
        }

    # -- usage -----------------------------------------------------------------

    @_answers_errors
    def _api_record_usage(self, payload):
        """Store a batch of usage events.

        :param dict payload: ``events`` (list of dict), optional ``atomic`` (bool); no
            key at all, and null for the list, are no events
        :return: ``accepted`` (newly stored), ``duplicates``, ``results`` in request
            order; with any refusal also status error and ``errors``
        """
        self.ensure_one()
        nothing = not payload or payload.get("events", "") is None
        raw_events = [] if nothing else self._check_events(payload)
        atomic = flag(payload, "atomic")
        results = self._api_env()["fusion.billing.usage"]._ingest(
            self, raw_events, atomic
        )
        return self._batch_answer(
            results, {"accepted": "accepted", "duplicates": "duplicate"}
        )

    def _check_events(self, payload):
        """The list of events of a batch.

        :raises BillingError: ``invalid_events``, ``too_many_events``
        """
        raw_events = payload.get("events")
        if not isinstance(raw_events, list):
            raise BillingError("invalid_events", "events must be a list", "events")
        if len(raw_events) > self._max_events():
            raise self._too_many_events()
        return raw_events

    @api.model
    def _too_many_events(self):
        text = f"at most {self._max_events()} events in one request"
        return BillingError("too_many_events", text, "events")

    @api.model
    def _batch_answer(self, results, counts):
        """The answer to a batch: its results, counted, and what was refused of it.

        :param list results: one dict for each event, in request order
        :param dict counts: key of the answer -> the status it counts
        """
        statuses = [result["status"] for result in results]
        answer = {"status": "ok"}
        answer |= {key: statuses.count(status) for key, status in counts.items()}
        answer["results"] = results
        errors = [
            {"index": index, "field": result.get("field")}
            | {"code": result["code"], "error": result["error"]}
            for index, result in enumerate(results)
            if "error" in result
        ]
        if errors:
            answer |= {
                "status": "error",
                "error": errors[0]["error"]
                if len(errors) == 1
                else f"{len(errors)} events refused, the first: {errors[0]['error']}",
                "code": errors[0]["code"] if len(errors) == 1 else "events_refused",
                "errors": errors,
            }
        return answer

    @api.model
    def _max_events(self):
        parameter = self.env["ir.config_parameter"].sudo()
        return int(parameter.get_param(MAX_EVENTS_PARAMETER) or 10_000)

    # -- catalog ---------------------------------------------------------------

    def _api_catalog(self):
        """The prices of the service's company that are valid today or will be.

        Quantities and prices are decimal text: JSON numbers would pass through
        floats in most clients.

        :return: ``{'status', 'charges': [...], 'metrics': [...], 'plans': [...]}``
        """
        self.ensure_one()
        env = self._api_env()
        today = fields.Date.context_today(self)
        charges = env["fusion.billing.charge"].search(
            [
                ("company_id", "=", self.company_id.id),
                "|",
                ("date_end", "=", False),
                ("date_end", ">=", today),
            ]
        )
        terms = charges._price_terms()
        plans = charges.plan_id | env["sale.subscription.plan"].search(
            [("company_id", "in", (False, self.company_id.id))]
        )
        Metric = env["fusion.billing.metric"]
        metrics = Metric.search(Metric._company_domain(self.company_id))
        return {
            "status": "ok",
            "charges": [
                {
                    "plan_id": charge.plan_id.id,
                    "plan_code": charge.plan_code,
                    "metric": charge.metric_id.code,
                    "included_quota": money.format_decimal(terms[charge.id].included),
                    "price_per_unit": money.format_decimal(terms[charge.id].unit_price),
                    "unit_batch": money.format_decimal(terms[charge.id].unit_batch),
                    "charge_model": charge.charge_model,
                    "tiers": [_tier_item(tier) for tier in terms[charge.id].tiers],
                    "minimum_amount": money.format_decimal(terms[charge.id].minimum),
                    "currency": charge.currency_id.name,
                    "valid_from": fields.Date.to_string(charge.date_start) or None,
                    "valid_until": fields.Date.to_string(charge.date_end) or None,
                }
                for charge in charges
            ],
            "metrics": [
                {
                    "code": metric.code,
                    "name": metric.name,
                    "aggregation": metric.aggregation,
                    "unit": metric.unit_name or None,
                }
                for metric in metrics
            ],
            "plans": [
                {
                    "plan_id": plan.id,
                    "name": plan.name,
                    "billing_period_value": plan.billing_period_value,
                    "billing_period_unit": plan.billing_period_unit,
                }
                for plan in plans
            ],
        }

    # -- subscriptions ---------------------------------------------------------

    @_answers_errors
    def _api_create_subscription(self, payload):
        """Create and confirm a subscription.

        With an ``external_id``, a repeated request returns the subscription it
        made the first time.

        :param dict payload: ``external_customer_id``, ``plan_id``, optional
            ``lines`` [{product_id, quantity}], ``external_id``, ``start_date``,
            ``billed_until``
        :return: ``{'status', 'subscription_id', 'subscription_state', 'external_id',
            'invoices_due'}``
        """
        self.ensure_one()
        customer_id = check_text(
            require(payload, "external_customer_id", "{key} required"),
            "external_customer_id",
            "invalid_external_customer_id",
        )
        plan_id = require(payload, "plan_id", "{key} required")
        plan_id = record_id(plan_id, "plan_id")
        external_id = optional_text(payload, "external_id")
        env = self._api_env()
        plan = env["sale.subscription.plan"].search(
            [
                ("id", "=", plan_id),
                ("company_id", "in", (False, self.company_id.id)),
            ]
        )
        if not plan:
            raise BillingError("invalid_plan_id", "invalid plan_id", "plan_id")
        link = env["fusion.billing.account.link"]._find(self, customer_id)
        if not link:
            raise BillingError(
                "unknown_customer", "unknown customer", "external_customer_id"
            )
        lines = self._api_order_lines(env, payload.get("lines", []))
        values = {
            "partner_id": link.partner_id.id,
            "company_id": self.company_id.id,
            "plan_id": plan.id,
            "fc_service_id": self.id,
            "fc_account_link_id": link.id,
            "fc_external_id": external_id,
            "order_line": [fields.Command.create(line) for line in lines],
        }
        days = self._api_days(payload)
        if external_id:
            link._lock_serializing()
        order = external_id and env["sale.order"].search(
            [("fc_service_id", "=", self.id), ("fc_external_id", "=", external_id)]
        )
        if not order:
            values |= self._api_order_dates(plan, **days)
            order = self._api_confirm_order(env, values)
        elif (order.partner_id, order.plan_id, order._fc_account_link(self)) != (
            link.partner_id,
            plan,
            link,
        ):
            raise BillingError(
                "external_id_conflict",
                "external_id belongs to another subscription",
                "external_id",
            )
        return {
            "status": "ok",
            "subscription_id": order.id,
            "subscription_state": order.subscription_state,
            "external_id": order.fc_external_id or None,
            "invoices_due": self._invoices_due(order),
        }

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
        """Check the lines of a new subscription; return their order line values."""
        if not isinstance(lines, list):
            raise BillingError("invalid_lines", "lines must be a list", "lines")
        if len(lines) > MAX_LINES:
            raise BillingError("too_many_lines", f"at most {MAX_LINES} lines", "lines")
        invalid = BillingError("invalid_line", "invalid line", "lines")
        digits = env["decimal.precision"].precision_get("Product Unit")
        values = []
        for line in lines:
            if not isinstance(line, dict):
                raise invalid
            try:
                product_id = record_id(line.get("product_id"), "product_id")
                quantity = parse_quantity(line.get("quantity", 1))
            except BillingError as error:
                raise invalid from error
            # Odoo would round it, and the customer pay for another quantity.
            exact = quantity == round(quantity, digits)
            if not quantity or quantity > 10**9 or not exact:
                raise invalid
            values.append(
                {"product_id": product_id, "product_uom_qty": float(quantity)}
            )
        wanted = {line["product_id"] for line in values}
        products = env["product.product"].search(
            [
                ("id", "in", list(wanted)),
                ("sale_ok", "=", True),
                ("company_id", "in", (False, self.company_id.id)),
            ]
        )
        if set(products.ids) != wanted:
            raise invalid
        return values


def _tier_item(tier):
    return {
        "up_to": None if tier.up_to is None else money.format_decimal(tier.up_to),
        "price_per_unit": money.format_decimal(tier.unit_price),
        "flat_fee": money.format_decimal(tier.flat_fee),
    }
