from datetime import datetime
from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ..engine.billing import money
from ..engine.events import check_text
from ..engine.own_keys import is_own_key
from ..engine.payload import check_object, flag, require
from ..engine.query import DEFAULT_LIMIT
from .api_render import amount_text, iso_instant, page_end
from .arrival import settled_id
from .subscription.timeline import CHURNED

DEFAULT_PAST_WINDOWS = 3
# So many events, of all apps, one page is looked for in; it takes some 0.1 s. Without a
# bound, a poll of a small app beside a large one read the whole table.
SPAN = 500_000

_STATE_CONDITIONS = {
    None: [],
    "accepted": [SQL("u.voided_at IS NULL AND u.unallocated IS NOT TRUE")],
    "unallocated": [SQL("u.voided_at IS NULL AND u.unallocated")],
    "voided": [SQL("u.voided_at IS NOT NULL")],
}


class FusionBillingService(models.Model):
    """Reading back and voiding usage."""

    _inherit = "fusion.billing.service"

    def _api_usage(self, query):
        """One page of the accepted events of this service, in order of arrival.

        :param dict query: values of the query parameters, see controllers/usage.py
        :raises BillingError: ``unknown_subscription``
        """
        conditions = [
            SQL("u.service_id = %s", self.id),
            # Sent while the subscription was open to several apps.
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
        if "idempotency_key" not in query:  # who asks for one event does not read on
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
        return {
            "status": "ok",
            "events": [_usage_item(*row) for row in rows[:limit]],
            **page_end("usage", [row[0] for row in rows], query, looked_at),
        }

    def _api_void_usage(self, payload):
        """Take events out of billing, by their idempotency keys.

        An event that is voided already stays as it is: a blind retry is safe.

        :param dict payload: ``reason``, ``events``: list of the three keys an event
            is known by; optional ``atomic``
        :return: ``voided``, ``already_voided`` and ``results`` in request order;
            with any refusal also status error and ``errors``
        :raises BillingError: the request as a whole is refused
        """
        check_object(payload)
        reason = check_text(require(payload, "reason"), "reason", "invalid_reason")
        raw_events = self._check_events(payload)
        atomic = flag(payload, "atomic")
        results = self._api_env()["fusion.billing.usage"]._void_by_key(
            self, raw_events, reason, atomic
        )
        return self._batch_answer(
            results, {"voided": "voided", "already_voided": "already_voided"}
        )

    def _api_subscription_usage(self, reference, past=DEFAULT_PAST_WINDOWS):
        """What a subscription has used and what it comes to, window by window.

        :param str reference: external id or id of the subscription
        :param int past: how many windows before the open one
        :raises NotFoundError: ``unknown_subscription``
        """
        order = self._subscription_in_path(reference)
        window = order._fc_window()
        if order.subscription_state == CHURNED or window.is_settled:
            window = window.browse()
        return {
            "status": "ok",
            "subscription_id": order.id,
            "external_id": order.fc_external_id or None,
            "currency": order.currency_id.name,
            "current": self._current_window(window) if window else None,
            "past": self._past_windows(order, window, past),
            "unallocated": self._unallocated_usage(order),
        }

    def _current_window(self, window):
        """What a window comes to so far, as its invoice will say."""
        jobs = self.env["fusion.billing.rater"]._preview(window)
        untaxed = self.env["fusion.billing.rates"]._untaxed_reader()
        Charge = self.env["fusion.billing.charge"].sudo()
        return {
            "window_start": iso_instant(window.start),
            "window_end": iso_instant(window.end),
            "charges": [
                _charge_item(Charge.browse(job.agreement.charge), revision.explanation)
                | {
                    "amount": amount_text(
                        window.currency_id,
                        untaxed(job.agreement.product, job.window, revision.amount),
                    )
                }
                for job, revision in jobs
            ],
        }

    def _past_windows(self, order, window, count):
        """The windows of the ledger before the current one, the latest first."""
        if not count:
            return []
        Rating = self.env["fusion.billing.rating"].sudo()
        Rating.flush_model()
        before = window.start if window else datetime.max
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT window_start FROM fusion_billing_rating
                 WHERE subscription_id = %s AND state <> 'released'
                   AND window_start < %s
                 ORDER BY window_start DESC LIMIT %s
                """,
                order.id,
                before,
                count,
            )
        )
        ratings = Rating.search(
            [
                ("subscription_id", "=", order.id),
                ("state", "!=", "released"),
                ("window_start", "in", [start for [start] in rows]),
            ],
            order="window_start desc, metric_id, revision",
        )
        return [
            {
                "window_start": iso_instant(window.start),
                "window_end": iso_instant(window.end),
                "charges": [
                    self._past_charge(revisions)
                    for revisions in group.grouped("agreement_id").values()
                ],
            }
            for window, group in ratings.grouped("window_id").items()
        ]

    def _past_charge(self, revisions):
        """What one metric of a past window came to, over all its revisions."""
        open_ones = revisions.filtered(lambda r: r.state == "open")
        latest = revisions[-1]
        return _charge_item(latest.charge_id, latest.explanation or {}) | {
            "amount": amount_text(
                latest.currency_id, sum(revisions.mapped("amount_untaxed"))
            ),
            "state": "open" if open_ones else "invoiced",
            "invoices": [
                {"invoice_id": invoice.id, "number": invoice.name}
                for invoice in revisions.invoice_id
                if invoice.state == "posted"
            ],
        }

    def _unallocated_usage(self, order):
        """What no invoice bills by itself, for each metric."""
        return [
            {
                "metric_code": code,
                "events": events,
                "quantity": money.format_decimal(Decimal(quantity)),
            }
            for code, events, quantity in self.env.execute_query(
                SQL(
                    """
                    SELECT m.code, count(*), sum(u.quantity)::text
                      FROM fusion_billing_usage u
                      JOIN fusion_billing_metric m ON m.id = u.metric_id
                     WHERE u.subscription_id = %s AND u.unallocated
                       AND u.voided_at IS NULL
                     GROUP BY m.code ORDER BY m.code
                    """,
                    order.id,
                )
            )
        ]


def _charge_item(charge, explanation):
    """One charge of a window, as it was or will be priced."""
    return {
        "metric_code": charge.metric_id.code,
        "plan_code": charge.plan_code,
        "charge_model": explanation.get("model", charge.charge_model),
        "quantity": explanation.get("quantity", "0"),
        "included_quota": explanation.get("quota", "0"),
        "included": explanation.get("included", "0"),
        "billable": explanation.get("billable", "0"),
    }


def _usage_item(
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
):
    state = "unallocated" if unallocated else "accepted"
    return {
        "usage_id": usage_id,
        "subscription_id": subscription_id,
        "external_id": external_id,
        "metric_code": metric_code,
        "quantity": money.format_decimal(Decimal(quantity)),
        "period_start": iso_instant(period_start),
        "period_end": iso_instant(period_end),
        "idempotency_key": None if is_own_key(key) else key,
        "unique_key": unique_key,
        "received_at": iso_instant(received_at),
        "state": "voided" if voided_at else state,
        "voided_at": iso_instant(voided_at),
        "void_reason": void_reason,
    }
