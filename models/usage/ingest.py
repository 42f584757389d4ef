from collections import namedtuple
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ...engine.api import events
from ...engine.api.answers import UsageResult
from ...engine.api.own_keys import content_key
from ...engine.billing.aggregation import AGGREGATIONS
from ...engine.errors import BillingError

# Where the usage of one subscription and metric is recorded: their ids, whether the
# metric counts unique keys, or takes the last value, and the spans of time that are
# billed there. Of a renewed
# subscription also the target of the renewal, and the instant from which usage belongs
# to it. ``former``: ids of the orders that were renewed into this one, under which an
# event may be recorded already.
Target = namedtuple(
    "Target", "order metric unique last billable renewed_from renewal former"
)

# One event on its way into the table: its place in the request, the event as the
# engine parsed it, its target, and its key: (order, metric, idempotency key).
Row = namedtuple("Row", "index event target scope unallocated")

ACCEPTED = UsageResult("accepted")
UNALLOCATED = UsageResult("accepted", unallocated=True)
DUPLICATE = UsageResult("duplicate")
VOIDED_DUPLICATE = UsageResult("duplicate", voided=True)


class FusionBillingUsageIngestion(models.AbstractModel):
    """How events get in: parse all, authorise all, insert all, then tell."""

    _name = "fusion.billing.usage.ingestion"
    _description = "Acceptance of Usage"

    @api.model
    def _ingest(self, service, raw_events, atomic=False):
        """Store a batch of events; one authorisation, one metric and one insert query.

        :param service: the ``fusion.billing.service`` that sends them
        :param list raw_events: events as they came, see SPEC of ``POST /usage``
        :param bool atomic: store all of them or none
        :return: a list with one ``UsageResult`` for each event, in order
        """
        rows, results = self._prepare(service, raw_events)
        if atomic and any(results):
            return UsageResult.none_taken(results)
        savepoint = self.env.cr.savepoint(flush=False) if atomic else None
        self._store(service, rows, results)
        if savepoint:
            failed = any(result.code for result in results)
            savepoint.close(rollback=failed)
            if failed:
                return UsageResult.none_taken(results)
        return results

    @api.model
    def _foresee(self, service, raw_events, seen):
        """What :meth:`_ingest` would say of these events; nothing is stored.

        :param dict seen: what was foreseen before of the same file; added to
        :return: list of ``UsageResult``, as of :meth:`_ingest`
        """
        rows, results = self._prepare(service, raw_events)
        before = self._recorded_before_renewal(rows)
        present = self._stored([row.scope for row in rows])
        for row in rows:
            known = before.get(row.index) or present.get(row.scope)
            known = known or seen.get(row.scope)
            if known:
                results[row.index] = self._compare(row, known)
            else:
                seen[row.scope] = (row.event.fingerprint, False)
                results[row.index] = UNALLOCATED if row.unallocated else ACCEPTED
        return results

    @api.model
    def _prepare(self, service, raw_events):
        """Parse and authorise events.

        :return: (list of :class:`Row` of those that can be stored, list with a
            ``UsageResult`` for each of the others, and None)
        """
        results = [None] * len(raw_events)
        # Not the hundred other fields of a company, which a plain read would fetch.
        company = service.company_id
        company.fetch(["fc_future_tolerance_hours", "fc_billing_tz"])
        parsed = self._parse_events(company, raw_events, results)
        targets = self._targets(
            service,
            {(event.subscription_ref, event.metric_code) for _index, event in parsed},
            min((event.period_start for _index, event in parsed), default=None),
        )
        rows = []
        for index, event in parsed:
            target = targets[event.subscription_ref, event.metric_code]
            try:
                if isinstance(target, BillingError):
                    raise target
                rows.append(self._prepare_row(index, event, target))
            except BillingError as error:
                results[index] = UsageResult.refused("rejected", error)
        return rows, results

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
                results[index] = UsageResult.refused("rejected", error)
        return parsed

    @api.model
    def _targets(self, service, names, since):
        """Where the usage goes that is addressed by these names.

        :param names: set of (subscription reference, metric code)
        :param since: the earliest period of the usage, naive UTC
        :return: dict of each pair to its :class:`Target`, or to the BillingError
            that says why it has none
        """
        found = service._subscriptions_by_reference({ref for ref, _code in names})
        successors = service._all_successors(found.values())
        metrics = self._active_metrics(
            service.company_id, {code for _ref, code in names}
        )
        orders = self.env["sale.order"].concat(*found.values(), *successors.values())
        spans = self.env["fusion.billing.allocation"]._spans(orders, since)
        targets = {}
        for reference, code in names:
            try:
                order = service._referenced_subscription(found, reference)
                metric = self._metric_of(metrics, code)
            except BillingError as error:
                targets[reference, code] = error
                continue
            targets[reference, code] = self._target(order, metric, successors, spans)
        return targets

    @api.model
    def _target(self, order, metric, successors, spans, former=()):
        renewal = successors.get(order)
        Succession = self.env["fusion.billing.succession"]
        return Target(
            order=order.id,
            metric=metric.id,
            unique=AGGREGATIONS[metric.aggregation].needs_key,
            last=AGGREGATIONS[metric.aggregation].goes_by_order,
            billable=spans[order.id].get(metric.id, ()),
            renewed_from=(Succession._renewed_from(order) if renewal else datetime.max),
            renewal=renewal
            and self._target(renewal, metric, successors, spans, (*former, order.id)),
            former=former,
        )

    @api.model
    def _active_metrics(self, company, codes):
        Metric = self.env["fusion.billing.metric"].sudo()
        metrics = Metric.search_fetch(
            [
                ("active", "=", True),
                ("code", "in", list(codes)),
                *Metric._company_domain(company),
            ],
            ["code", "aggregation"],
        )
        return {metric.code: metric for metric in metrics}

    @api.model
    def _metric_of(self, metrics, code):
        metric = metrics.get(code)
        if metric is None:
            raise BillingError("unknown_metric", "unknown metric", "metric_code")
        return metric

    @api.model
    def _prepare_row(self, index, event, target):
        if target.unique and not event.unique_key:
            raise BillingError("missing_field", "missing unique_key", "unique_key")
        while event.period_start >= target.renewed_from:
            target = target.renewal
        # An event without a key is known by its content, so that a blind retry is
        # as safe without keys as with them.
        key = event.idempotency_key or content_key(event.fingerprint)
        return Row(
            index=index,
            event=event,
            target=target,
            scope=(target.order, target.metric, key),
            unallocated=not any(
                span.contains(event.period_start) for span in target.billable
            ),
        )

    @api.model
    def _store(self, service, rows, results):
        """Insert the rows; the unique index decides what is new, and for good.

        Rows go in sorted by their key: two batches with the same events in
        opposite order then wait for each other instead of deadlocking.
        """
        before = self._recorded_before_renewal(rows)
        first_of, repeated = {}, []
        for row in rows:
            if before and (known := before.get(row.index)):
                results[row.index] = self._compare(row, known)
            elif first_of.setdefault(row.scope, row) is not row:
                repeated.append(row)
        inserted = self._insert(service, [first_of[s] for s in sorted(first_of)])
        present = self._stored([s for s in first_of if s not in inserted])
        for scope, row in first_of.items():
            if scope in inserted:
                results[row.index] = UNALLOCATED if row.unallocated else ACCEPTED
            elif scope in present:
                results[row.index] = self._compare(row, present[scope])
            else:  # moved to a renewal between the two statements
                raise ConcurrencyError("usage was handed over just now")
        for row in repeated:
            known = present.get(row.scope)
            known = known or (first_of[row.scope].event.fingerprint, False)
            results[row.index] = self._compare(row, known)

    @api.model
    def _recorded_before_renewal(self, rows):
        """What was recorded under an order that has been renewed since.

        :return: dict of row index -> (fingerprint, voided)
        """
        scopes = {
            (order, *row.scope[1:]): row.index
            for row in rows
            for order in row.target.former
        }
        return {
            scopes[scope]: known for scope, known in self._stored(list(scopes)).items()
        }

    @api.model
    def _compare(self, row, known):
        fingerprint, voided = known
        if row.event.fingerprint == fingerprint:
            return VOIDED_DUPLICATE if voided else DUPLICATE
        return UsageResult.refused(
            "conflict",
            BillingError(
                "idempotency_conflict",
                "idempotency_key was used with other content",
                "idempotency_key",
            ),
        )

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
                "subscription_id": subscription.id,
                "metric_code": metric_code,
                "quantity": quantity,
                "period_start": _timestamp_text(period_start),
                "period_end": _timestamp_text(period_end),
                **({} if idem is None else {"idempotency_key": idem}),
            },
            fields.Datetime.now(),
            timedelta(hours=subscription.company_id.fc_future_tolerance_hours),
        )
        order = subscription.sudo()
        metrics = self._active_metrics(order.company_id, {metric_code})
        metric = self._metric_of(metrics, metric_code)
        spans = self.env["fusion.billing.allocation"]._spans(order, event.period_start)
        target = self._target(order, metric, {}, spans)
        row = self._prepare_row(0, event, target)
        results = [None]
        self._store(subscription.fc_service_id, [row], results)
        [result] = results
        if result.code:
            raise BillingError(result.code, result.error, result.field)
        return self.search(
            [
                ("subscription_id", "=", subscription.id),
                ("metric_id", "=", metric.id),
                ("idempotency_key", "=", row.scope[2]),
            ]
        )


def _timestamp_text(value):
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value
