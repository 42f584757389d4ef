from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ...engine.api import answers
from ...engine.api.events import check_text
from ...engine.api.own_keys import is_own_key
from ...engine.api.payload import check_object, flag, require
from ...engine.api.query import DEFAULT_LIMIT
from ...engine.errors import BillingError
from ..base.arrival import settled_id
from ..base.render import page_end

MAX_EVENTS_PARAMETER = "fusion_centralized_billing.max_events"
# For one page so many events are looked through, those of other apps included: some
# 0.1 s. Without this bound, a small app beside a large one would have the whole table
# read each time it asks.
SPAN = 500_000

_STATE_CONDITIONS = {
    None: [],
    "accepted": [SQL("u.voided_at IS NULL AND u.unallocated IS NOT TRUE")],
    "unallocated": [SQL("u.voided_at IS NULL AND u.unallocated IS TRUE")],
    "voided": [SQL("u.voided_at IS NOT NULL")],
}


class FusionBillingApiUsage(models.AbstractModel):
    """Recording, reading back and voiding usage."""

    _name = "fusion.billing.api.usage"
    _description = "API: Usage"

    def _record_events(self, payload):
        """Store a batch of usage events.

        :param dict payload: ``events`` (list of dict), optional ``atomic`` (bool); no
            key at all, and null for the list, are no events
        :return: ``UsageAnswer`` or ``UsageRefusal`` as JSON
        """
        self.ensure_one()
        check_object(payload, "events", "atomic")
        nothing = not payload or payload.get("events", "") is None
        raw_events = [] if nothing else self._check_events(payload)
        atomic = flag(payload, "atomic")
        env = self._api_env()
        results = env["fusion.billing.usage"]._ingest(self, raw_events, atomic)
        env["fusion.billing.usage.refused"]._keep(self, raw_events, results)
        return answers.usage_answer(results).as_json()

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
    def _max_events(self):
        parameter = self.env["ir.config_parameter"].sudo()
        return int(parameter.get_param(MAX_EVENTS_PARAMETER) or 10_000)

    def _api_usage(self, query):
        """One page of the accepted events of this service, in order of arrival
        (``UsageList``).

        :param dict query: values of the query parameters, see controllers/usage.py
        :raises BillingError: ``unknown_subscription``
        """
        conditions = [
            SQL("u.service_id = %s", self.id),
            # Not those of a subscription that is another app's alone by now.
            SQL("(o.fc_service_id IS NULL OR o.fc_service_id = %s)", self.id),
        ]
        if "subscription" in query:
            order = self._subscription_named(
                query["subscription"], field="subscription"
            )
            orders = self._with_renewals(order)
            conditions.append(SQL("u.subscription_id IN %s", tuple(orders.ids)))
        for name, condition in (
            ("metric", "m.code = %s"),
            ("period_from", "u.period_start >= %s"),
            ("period_until", "u.period_start < %s"),
            ("received_from", "u.received_at >= %s"),
            ("received_until", "u.received_at < %s"),
            ("idempotency_key", "u.idempotency_key = %s"),
            ("cursor", "u.id > %s"),
        ):
            if name in query:
                conditions.append(SQL(condition, query[name]))
        conditions += _STATE_CONDITIONS[query.get("state")]
        limit = query.get("limit", DEFAULT_LIMIT)
        Usage = self.env["fusion.billing.usage"]
        Usage.flush_model()
        self.env["sale.order"].flush_model(["fc_service_id", "fc_external_id"])
        looked_at = None
        if "idempotency_key" not in query:  # one event is no list to go on with
            end = settled_id(self.env, Usage._table)
            if "subscription" not in query:
                # The events of other apps lie between its own.
                span_end = min(end, query.get("cursor", 0) + SPAN)
                looked_at = span_end, span_end < end
                end = span_end
            conditions.append(SQL("u.id <= %s", end))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT u.id, u.subscription_id, o.fc_external_id, m.code,
                       u.quantity::text, u.period_start, u.period_end,
                       u.idempotency_key, u.unique_key, u.received_at,
                       u.unallocated, u.voided_at, u.void_reason
                  FROM fusion_billing_usage u
                  JOIN sale_order o ON o.id = u.subscription_id
                  JOIN fusion_billing_metric m ON m.id = u.metric_id
                 WHERE %s
                 ORDER BY u.id
                 LIMIT %s
                """,
                SQL(" AND ").join(conditions),
                limit + 1,
            )
        )
        return answers.UsageList(
            events=[_usage_item(row) for row in rows[:limit]],
            **page_end("usage", [row[0] for row in rows], query, looked_at),
        ).as_json()

    def _api_void_usage(self, payload):
        """Take events out of billing, by their idempotency keys.

        An event that is voided already stays as it is: a blind retry is safe.

        :param dict payload: ``reason``, ``events``: list of the three keys an event
            is known by; optional ``atomic``
        :return: ``VoidAnswer`` or ``VoidRefusal`` as JSON
        :raises BillingError: the request as a whole is refused
        """
        check_object(payload, "reason", "events", "atomic")
        reason = check_text(require(payload, "reason"), "reason", "invalid_reason")
        raw_events = self._check_events(payload)
        atomic = flag(payload, "atomic")
        results = self._api_env()["fusion.billing.usage"]._void_by_key(
            self, raw_events, reason, atomic
        )
        return answers.void_answer(results).as_json()


def _usage_item(row):
    (
        usage_id,
        subscription_id,
        external_id,
        metric_code,
        quantity,
        period_start,
        period_end,
        key,
        unique_key,
        received_at,
        unallocated,
        voided_at,
        void_reason,
    ) = row
    state = "unallocated" if unallocated else "accepted"
    return answers.Usage(
        usage_id=usage_id,
        subscription_id=subscription_id,
        external_id=external_id,
        metric_code=metric_code,
        quantity=Decimal(quantity),
        period_start=period_start,
        period_end=period_end,
        idempotency_key=None if is_own_key(key) else key,
        unique_key=unique_key,
        received_at=received_at,
        state="voided" if voided_at else state,
        voided_at=voided_at,
        void_reason=void_reason,
    )
