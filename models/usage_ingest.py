from collections import namedtuple
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine import events, periods
from ..engine.errors import BillingError
from .sale_order import CHURNED, RENEWED

# One event on its way into the table: its place in the request, the event as
# the engine parsed it, and what the database says of its order and metric.
Row = namedtuple("Row", "index event order metric key unallocated")

ACCEPTED = {"status": "accepted"}
DUPLICATE = {"status": "duplicate"}


def _problem(status, error):
    """The result of one event that was not stored."""
    result = {"status": status, "code": error.code, "error": error.message}
    if error.field:
        result["field"] = error.field
    return result


class FusionBillingUsage(models.Model):
    """How events get in: parse all, authorise all, insert all, then tell."""

    _inherit = "fusion.billing.usage"

    @api.model
    def _ingest(self, service, raw_events, atomic=False):
        """Store a batch of events; one authorisation, one metric and one insert query.

        :param service: the ``fusion.billing.service`` that sends them
        :param list raw_events: events as they came, see SPEC of ``POST /usage``
        :param bool atomic: store all of them or none
        :return: a list with one result (dict) for each event, in order:
            ``status`` is accepted, duplicate, conflict, rejected, or not_stored
            (a good event of an atomic batch that failed)
        """
        results = [None] * len(raw_events)
        parsed = self._parse_events(service.company_id, raw_events, results)
        orders = self._authorised_orders(
            service, {event.subscription_ref for _index, event in parsed}
        )
        metrics = self._active_metrics({event.metric_code for _index, event in parsed})
        windows = {}
        rows = []
        for index, event in parsed:
            try:
                order = self._order_of(orders, event.subscription_ref)
                metric = self._metric_of(metrics, event.metric_code)
                if metric.aggregation == "unique" and not event.unique_key:
                    raise BillingError(
                        "missing_field", "missing unique_key", "unique_key"
                    )
            except BillingError as error:
                results[index] = _problem("rejected", error)
                continue
            rows.append(self._prepare_row(index, event, order, metric, windows))
        if atomic and any(results):
            return self._nothing_stored(results)
        savepoint = self.env.cr.savepoint(flush=False) if atomic else None
        self._store(service, rows, results)
        if savepoint:
            failed = any(result["status"] == "conflict" for result in results)
            savepoint.close(rollback=failed)
            if failed:
                return self._nothing_stored(results)
        return results

    @api.model
    def _nothing_stored(self, results):
        """Results of a failed atomic batch: only its problems stay as they are."""
        return [
            result
            if result and result["status"] in ("rejected", "conflict")
            else {"status": "not_stored"}
            for result in results
        ]

    @api.model
    def _parse_events(self, company, raw_events, results):
        """Return [(index, UsageEvent)] of the well-formed events; note the others."""
        now = fields.Datetime.now()
        tolerance = timedelta(hours=company.fc_future_tolerance_hours)
        parsed = []
        for index, raw_event in enumerate(raw_events):
            try:
                parsed.append((index, events.parse_event(raw_event, now, tolerance)))
            except BillingError as error:
                results[index] = _problem("rejected", error)
        return parsed

    @api.model
    def _authorised_orders(self, service, references):
        """Subscriptions this service may post to, keyed by each name they go by.

        :return: dict of external id (str) or order id (int) -> ``sale.order``
        """
        if not references:
            return {}
        ids = {number for ref in references if (number := _order_id(ref))}
        names = [ref for ref in references if isinstance(ref, str)]
        orders = (
            self.env["sale.order"]
            .sudo()
            .search_fetch(
                (
                    Domain("id", "in", list(ids))
                    | (
                        Domain("fc_service_id", "=", service.id)
                        & Domain("fc_external_id", "in", names)
                    )
                )
                & Domain("is_subscription", "=", True)
                & Domain("company_id", "=", service.company_id.id)
                & service._linked_partner_domain("partner_id"),
                [
                    "fc_external_id",
                    "fc_service_id",
                    "fc_settled_start",
                    "fc_settled_end",
                    "fc_settled_day",
                    "start_date",
                    "last_invoice_date",
                    "next_invoice_date",
                    "end_date",
                    "state",
                    "subscription_state",
                    "company_id",
                ],
            )
        )
        found = {order.id: order for order in orders}
        # An external id that looks like a number is still the app's own name.
        found.update(
            (order.fc_external_id, order)
            for order in orders
            if order.fc_external_id and order.fc_service_id == service
        )
        return found

    @api.model
    def _order_of(self, orders, reference):
        order = orders.get(reference)
        number = _order_id(reference)
        if order is None and number:
            order = orders.get(number)
        if order is not None:
            return order
        if number is None:
            raise BillingError(
                "invalid_subscription_external_id",
                "invalid subscription_external_id",
                "subscription_external_id",
            )
        raise BillingError(
            "unknown_subscription", "unknown subscription", "subscription_external_id"
        )

    @api.model
    def _active_metrics(self, codes):
        metrics = (
            self.env["fusion.billing.metric"]
            .sudo()
            .search_fetch([("code", "in", list(codes))], ["code", "aggregation"])
        )
        return {metric.code: metric for metric in metrics}

    @api.model
    def _metric_of(self, metrics, code):
        metric = metrics.get(code)
        if metric is None:
            raise BillingError("unknown_metric", "unknown metric", "metric_code")
        return metric

    @api.model
    def _prepare_row(self, index, event, order, metric, windows):
        billable = windows.get(order.id)
        if billable is None:
            billable = windows[order.id] = self._billable_span(order)
        return Row(
            index=index,
            event=event,
            order=order,
            metric=metric,
            # An event without a key is known by its content, so that a blind
            # retry is as safe without keys as with them.
            key=event.idempotency_key or f"content:{event.fingerprint}",
            unallocated=not billable.contains(event.period_start),
        )

    @api.model
    def _billable_span(self, order):
        """The span of time of which usage will still be invoiced (Window).

        It begins with the window invoiced last, else the open one, and has no end,
        unless the subscription has one. ``end_date`` itself is the first day not
        billed. One that was renewed is billed for the window it was renewed in.
        """
        tz = order.company_id.fc_billing_tz
        first = order.last_invoice_date or order.start_date
        renewed = order.subscription_state == RENEWED
        closed = order.subscription_state == CHURNED or (
            renewed and order._fc_is_last_window_billed()
        )
        if not first or closed or order.state == "cancel":
            return periods.Window(datetime.min, datetime.min)
        previous = order._fc_previous_window()
        ends = [order.end_date] if order.end_date else []
        if renewed:
            ends.append(order.next_invoice_date)
        return periods.Window(
            previous.start if previous else periods.day_start_utc(first, tz),
            periods.day_start_utc(min(ends), tz) if ends else datetime.max,
        )

    @api.model
    def _store(self, service, rows, results):
        """Insert the rows; the unique index decides what is new, and for good.

        Rows go in sorted by their key: two batches with the same events in
        opposite order then wait for each other instead of deadlocking.
        """
        first_of, repeated = {}, []
        for row in rows:
            scope = (row.order.id, row.metric.id, row.key)
            if first_of.setdefault(scope, row) is not row:
                repeated.append(row)
        inserted = self._insert(service, [first_of[s] for s in sorted(first_of)])
        present = self._fingerprints([s for s in first_of if s not in inserted])
        for scope, row in first_of.items():
            if scope in inserted:
                results[row.index] = ACCEPTED | (
                    {"unallocated": True} if row.unallocated else {}
                )
            else:
                results[row.index] = self._compare(row, present[scope])
        for row in repeated:
            scope = (row.order.id, row.metric.id, row.key)
            stored = present.get(scope) or first_of[scope].event.fingerprint
            results[row.index] = self._compare(row, stored)

    @api.model
    def _compare(self, row, stored_fingerprint):
        if row.event.fingerprint == stored_fingerprint:
            return DUPLICATE
        return _problem(
            "conflict",
            BillingError(
                "idempotency_conflict",
                "idempotency_key was used with other content",
                "idempotency_key",
            ),
        )

    @api.model
    def _insert(self, service, rows):
        """Insert what is not there yet; return its (order, metric, key) tuples."""
        if not rows:
            return set()
        inserted = self.env.execute_query(
            SQL(
                """
                INSERT INTO fusion_billing_usage
                       (service_id, subscription_id, metric_id, quantity,
                        period_start, period_end, idempotency_key, unique_key,
                        fingerprint, unallocated, received_at)
                SELECT %(service)s, u.*, %(now)s
                  FROM unnest(%(orders)s::int[], %(metrics)s::int[],
                              %(quantities)s::numeric[], %(starts)s::timestamp[],
                              %(ends)s::timestamp[], %(keys)s::text[],
                              %(unique_keys)s::text[], %(fingerprints)s::text[],
                              %(unallocated)s::bool[]) AS u
                ON CONFLICT (subscription_id, metric_id, idempotency_key) DO NOTHING
                RETURNING subscription_id, metric_id, idempotency_key
                """,
                service=service.id or None,
                now=fields.Datetime.now(),
                orders=[row.order.id for row in rows],
                metrics=[row.metric.id for row in rows],
                quantities=[row.event.quantity for row in rows],
                starts=[row.event.period_start for row in rows],
                ends=[row.event.period_end for row in rows],
                keys=[row.key for row in rows],
                unique_keys=[row.event.unique_key for row in rows],
                fingerprints=[row.event.fingerprint for row in rows],
                unallocated=[row.unallocated for row in rows],
            )
        )
        return set(inserted)

    @api.model
    def _fingerprints(self, scopes):
        """Fingerprints of stored events: {(order, metric, key): fingerprint}."""
        if not scopes:
            return {}
        orders, metrics, keys = (list(column) for column in zip(*scopes, strict=True))
        return {
            (order, metric, key): fingerprint
            for order, metric, key, fingerprint in self.env.execute_query(
                SQL(
                    """
                    SELECT u.subscription_id, u.metric_id, u.idempotency_key,
                           u.fingerprint
                      FROM unnest(%s::int[], %s::int[], %s::text[])
                           AS s(subscription_id, metric_id, idempotency_key)
                      JOIN fusion_billing_usage u
                        USING (subscription_id, metric_id, idempotency_key)
                    """,
                    orders,
                    metrics,
                    keys,
                )
            )
        }

    @api.model
    def _record_usage(
        self, subscription, metric_code, quantity, period_start, period_end, idem=None
    ):
        """Record one event from inside Odoo; the API's rules, without its key.

        :param subscription: one ``sale.order`` record
        :param str metric_code: code of an active metric
        :param quantity: int, str or Decimal; a float counts as the decimal it prints
        :param period_start: naive UTC datetime, or text as the API takes it
        :param period_end: likewise
        :param idem: idempotency key; the same key again returns the same event
        :return: the ``fusion.billing.usage`` record, an earlier one when repeated
        :raises ValueError: a value is bad, or the key was used with other content
        """
        subscription.ensure_one()
        if not subscription.is_subscription:
            raise BillingError("unknown_subscription", "unknown subscription")
        event = events.parse_event(
            {
                "subscription_external_id": subscription.id,
                "metric_code": metric_code,
                "quantity": quantity,
                "period_start": _timestamp_text(period_start),
                "period_end": _timestamp_text(period_end),
                **({} if idem is None else {"idempotency_key": idem}),
            },
            fields.Datetime.now(),
            timedelta(hours=subscription.company_id.fc_future_tolerance_hours),
        )
        metric = self._metric_of(self._active_metrics({metric_code}), metric_code)
        row = self._prepare_row(0, event, subscription.sudo(), metric, {})
        results = [None]
        self._store(subscription.fc_service_id, [row], results)
        if results[0]["status"] == "conflict":
            raise BillingError(
                results[0]["code"], results[0]["error"], results[0]["field"]
            )
        return self.search(
            [
                ("subscription_id", "=", subscription.id),
                ("metric_id", "=", metric.id),
                ("idempotency_key", "=", row.key),
            ]
        )


def _order_id(reference):
    """The order id a reference can mean (int), else None."""
    if isinstance(reference, str):
        # isdecimal() alone also takes digits of other scripts.
        if not (reference.isascii() and reference.isdecimal()):
            return None
        if reference.startswith("0") or len(reference) > 10:
            return None
        reference = int(reference)
    return reference if 0 < reference < 2**31 else None


def _timestamp_text(value):
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value
