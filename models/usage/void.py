from odoo import api, fields, models
from odoo.tools import SQL

from ...engine.api.answers import VoidResult
from ...engine.api.events import check_keys, check_text, subscription_reference
from ...engine.api.own_keys import moved_key
from ...engine.api.payload import require
from ...engine.errors import BillingError

_KEYS = frozenset(
    ("subscription_external_id", "subscription_id", "metric_code", "idempotency_key")
)


class FusionBillingUsageVoid(models.AbstractModel):
    """Voiding events for the source that sent them, by the keys it knows them by."""

    _name = "fusion.billing.usage.void"
    _description = "Voiding by Idempotency Key"

    @api.model
    def _void_by_key(self, service, raw_events, reason, atomic=False):
        """Take events out of billing; what is voided already stays as it is.

        :param service: the ``fusion.billing.service`` that sent them
        :param list raw_events: dicts of subscription_external_id or subscription_id,
            metric_code and idempotency_key, as they came
        :param str reason: kept with each event
        :param bool atomic: void all of them or none
        :return: a list with one ``VoidResult`` for each event, in order
        """
        results = [None] * len(raw_events)
        found = self._find_by_key(service, raw_events, results)
        if atomic and any(results):
            return VoidResult.none_taken(results)
        fresh = {usage_id for usage_id, voided in found.values() if not voided}
        self._void_ids(service, sorted(fresh), reason)
        for index, (usage_id, _voided) in sorted(found.items()):
            status = "voided" if usage_id in fresh else "already_voided"
            results[index] = VoidResult(status)
            fresh.discard(usage_id)  # named twice in one request
        return results

    @api.model
    def _find_by_key(self, service, raw_events, results):
        """Lock the events that are meant; note the problems of the others.

        :return: dict of index -> (usage id, whether it is voided)
        """
        keys = {}
        for index, raw_event in enumerate(raw_events):
            try:
                keys[index] = _event_key(raw_event)
            except BillingError as error:
                results[index] = VoidResult.refused("rejected", error)
        orders = service._subscriptions_by_reference({key[0] for key in keys.values()})
        successors = service._all_successors(orders.values())
        Metric = self.env["fusion.billing.metric"].with_context(active_test=False)
        metrics = {
            metric.code: metric.id
            for metric in Metric.search(
                [
                    ("code", "in", list({key[1] for key in keys.values()})),
                    *Metric._company_domain(service.company_id),
                ]
            )
        }
        wanted = []
        for index, (reference, code, key) in keys.items():
            try:
                order = service._referenced_subscription(orders, reference)
            except BillingError as error:
                results[index] = VoidResult.refused("rejected", error)
                continue
            while order:
                wanted.append((index, order.id, metrics.get(code), key))
                order = successors.get(order)
        found = self._lock_by_key(service, wanted)
        for index, _order, _metric, _key in wanted:
            if index not in found:
                results[index] = VoidResult.refused(
                    "rejected",
                    BillingError(
                        "unknown_event",
                        "no event of yours has this idempotency_key",
                        "idempotency_key",
                    ),
                )
        return found

    @api.model
    def _lock_by_key(self, service, wanted):
        if not wanted:
            return {}
        indexes, orders, metrics, keys = zip(*wanted, strict=True)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT w.index, u.id, u.voided_at IS NOT NULL
                  FROM unnest(%s::int[], %s::int[], %s::int[], %s::text[])
                       AS w(index, subscription_id, metric_id, idempotency_key)
                  JOIN fusion_billing_usage u
                 USING (subscription_id, metric_id, idempotency_key)
                 WHERE u.service_id = %s
                 -- in one order, so that two requests wait instead of deadlocking
                 ORDER BY u.id FOR UPDATE OF u
                """,
                list(indexes),
                list(orders),
                list(metrics),
                list(keys),
                service.id,
            )
        )
        # Of one that was recorded before and after a renewal, the one that counts.
        found = {
            index: (usage_id, voided)
            for index, usage_id, voided in sorted(rows, key=lambda row: not row[2])
        }
        return found | self._lock_moved(service, found)

    @api.model
    def _lock_moved(self, service, found):
        """What finance bills in place of events that are voided: see usage_move.py.

        To the source it is the event it has sent, under the key it has sent.

        :param dict found: index -> (usage id, whether it is voided)
        :return: likewise, for those that finance has moved
        """
        voided = {index: usage_id for index, (usage_id, old) in found.items() if old}
        if not voided:
            return {}
        moved = {
            index: (usage_id, old)
            for index, usage_id, old in self.env.execute_query(
                SQL(
                    """
                    SELECT v.index, n.id, n.voided_at IS NOT NULL
                      FROM unnest(%s::int[], %s::int[]) AS v(index, id)
                      JOIN fusion_billing_usage u ON u.id = v.id
                      JOIN sale_order o ON o.id = u.subscription_id
                      JOIN res_partner p ON p.id = o.partner_id
                      -- where finance may have moved it: the customer's subscriptions
                      JOIN res_partner c
                        ON c.commercial_partner_id = p.commercial_partner_id
                      JOIN sale_order t
                        ON t.partner_id = c.id AND t.company_id = o.company_id
                      JOIN fusion_billing_usage n
                        ON n.subscription_id = t.id AND n.metric_id = u.metric_id
                       AND n.idempotency_key = %s || u.id
                     WHERE n.service_id = %s
                       AND (t.fc_service_id IS NULL OR t.fc_service_id = %s)
                     ORDER BY n.id FOR UPDATE OF n
                    """,
                    list(voided),
                    list(voided.values()),
                    moved_key(""),
                    service.id,
                    service.id,
                )
            )
        }
        return moved | self._lock_moved(service, moved)

    @api.model
    def _void_ids(self, service, ids, reason):
        if ids:
            self._note_voided(ids)
            self.env.cr.execute(
                """
                WITH void AS (
                    UPDATE fusion_billing_usage
                       SET voided_at = %s, void_uid = %s, void_service_id = %s,
                           void_reason = %s
                     WHERE id = ANY(%s)
                    RETURNING subscription_id, period_start
                )
                INSERT INTO fusion_billing_rating_queue
                            (subscription_id, since, event_count, recheck)
                SELECT subscription_id, min(period_start), count(*), false
                  FROM void GROUP BY subscription_id
                """,
                [fields.Datetime.now(), self.env.uid, service.id, reason, ids],
            )
            self.invalidate_model()


def _event_key(raw_event):
    """The (subscription reference, metric code, idempotency key) of a raw event."""
    if not isinstance(raw_event, dict):
        raise BillingError("invalid_event", "invalid event")
    check_keys(raw_event, _KEYS)
    reference = subscription_reference(raw_event)
    values = []
    for field in ("metric_code", "idempotency_key"):
        value = require(raw_event, field)
        values.append(check_text(value, field, f"invalid_{field}"))
    return reference, *values
