import json
from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...engine.billing import money
from ...engine.billing.ledger import Adjustment
from ...engine.billing.rating import (
    Revision,
    Standing,
    is_news,
    is_postable,
    next_revision,
)
from ...engine.webhook.event_types import ThresholdReachedData
from ..base.insert_rows import insert_rows
from .agreements import agreement_of, stored_terms

# What is written of a revision, in the order of _rating_row.
_TYPES = {
    "subscription_id": "int",
    "partner_id": "int",
    "company_id": "int",
    "charge_id": "int",
    "metric_id": "int",
    "window_id": "int",
    "agreement_id": "int",
    "window_start": "timestamp",
    "window_end": "timestamp",
    "revision": "int",
    "quantity": "numeric",
    "included": "numeric",
    "billable": "numeric",
    "quota_share": "numeric",
    "window_amount": "numeric",
    "amount": "numeric",
    "amount_untaxed": "numeric",
    "currency_id": "int",
    "product_id": "int",
    "charge_currency_id": "int",
    "terms": "jsonb",
    "rate_from": "numeric",
    "rate_to": "numeric",
    "discount": "numeric",
    "counted": "jsonb",
    "explanation": "jsonb",
    "peak_share": "int",
    "order_line_id": "int",
    "state": "varchar",
    "create_date": "timestamp",
    "write_date": "timestamp",
}
# What the open revision of an agreement is known by, and how it began.
_FIXED = {"subscription_id", "metric_id", "window_id", "agreement_id", "revision"}
_FIXED |= {"state", "create_date"}


class FusionBillingLedger(models.AbstractModel):
    """Reading and writing the ledger of ratings, exactly and in bulk."""

    _name = "fusion.billing.ledger"
    _description = "Ratings in Bulk"

    # -- what was charged ------------------------------------------------------

    @api.model
    def _standing(self, keys):
        """What the ledger says of these agreements: {id: ``Standing``}."""
        if not keys:
            return {}
        adjustments, less = self._adjustments(keys)
        rows = self.env.execute_query(
            SQL(
                """
                    SELECT r.agreement_id,
                           sum(r.amount) FILTER (WHERE r.state = 'invoiced')::text,
                           array_agg(r.revision ORDER BY r.revision)
                           FILTER (WHERE r.state = 'invoiced' AND r.amount != 0),
                           max(r.revision),
                           (array_agg(r.quantity::text ORDER BY r.revision DESC))[1],
                           coalesce(max(r.peak_share), 0),
                           coalesce(bool_or(r.state = 'invoiced'), false),
                           (array_agg(ARRAY[
                               r.quantity::text, r.included::text, r.billable::text,
                               r.window_amount::text, r.amount::text,
                               r.peak_share::text, r.charge_id::text,
                               r.product_id::text, r.charge_currency_id::text,
                               r.terms::text, r.rate_from::text, r.rate_to::text,
                               r.discount::text, r.counted::text])
                            FILTER (WHERE r.state = 'open'))
                      FROM fusion_billing_rating r
                     WHERE r.agreement_id = ANY(%s)
                     GROUP BY r.agreement_id
                    """,
                keys,
            )
        )
        return {
            key: Standing(
                revision=revision,
                charged=Decimal(charged or 0) - less.get(key, 0),
                counted=tuple(counted or ()),
                adjustments=tuple(adjustments.get(key, ())),
                quantity=Decimal(quantity),
                open=_open_revision(stands) if stands else None,
                peak=peak,
                is_told=is_told,
            )
            for key, charged, counted, revision, quantity, peak, is_told, stands in rows
        }

    def _adjustments(self, keys):
        """What finance charged otherwise, of invoiced revisions.

        :return: ({agreement id: those that still count, in order}, {agreement id: how
            much less was charged by all of them})
        """
        counting, less = defaultdict(list), defaultdict(Decimal)
        for key, rated, forgiven, ended in self.env.execute_query(
            SQL(
                """
                SELECT x.agreement_id, r.window_amount::text, x.forgiven::text,
                       x.ended_by_id IS NOT NULL
                  FROM fusion_billing_adjustment x
                  JOIN fusion_billing_rating r ON r.id = x.rating_id
                 WHERE x.agreement_id = ANY(%s) AND r.state = 'invoiced'
                 ORDER BY x.id
                """,
                keys,
            )
        ):
            less[key] += Decimal(forgiven)
            if not ended:
                counting[key].append(Adjustment(Decimal(rated), Decimal(forgiven)))
        return counting, less

    # -- what is written -------------------------------------------------------

    @api.model
    def _write(self, orders, jobs, quantities, standing, settle):
        """Write the open revision of each job where it says something new.

        :return: the orders that something was written for
        """
        by_id = {order.id: order for order in orders}
        steps = {
            currency.id: money.to_decimal(currency.rounding)
            for currency in self.env["res.currency"].browse(
                {job.window.currency for job in jobs}
            )
        }
        untaxed = self.env["fusion.billing.rates"]._untaxed_reader()
        rows, reached = [], []
        for job, quantity in zip(jobs, quantities, strict=True):
            known = standing.get(job.key, Standing())
            step = steps[job.window.currency]
            revision = next_revision(job.agreement, quantity, step, known)
            if not is_postable(revision, step):
                raise UserError(
                    self.env._(
                        "%(order)s: %(amount)s for one billing window is more than "
                        "an invoice can hold to the cent.",
                        order=by_id[job.window.order].name,
                        amount=money.format_decimal(revision.window_amount),
                    )
                )
            if not is_news(revision, known, job.window.id in settle):
                continue
            order = by_id[job.window.order]
            if revision.peak > known.peak:
                reached.append((job, order, known.peak, revision))
            number = known.revision + (known.open is None)
            net = untaxed(revision.agreement.product, job.window, revision.amount)
            rows.append(self._rating_row(job, order, number, revision, net))
        if rows:
            self._upsert(rows)
            self._tell_thresholds(reached)
        return orders.browse({row[0] for row in rows})

    def _rating_row(self, job, order, number, revision, untaxed):
        window, agreed = job.window, revision.agreement
        explanation = revision.explanation
        if agreed.rate_from:
            charge_currency = self.env["res.currency"].browse(agreed.currency)
            explanation["currency"] = charge_currency.name
        return (
            window.order,
            order.partner_id.id,
            window.company,
            agreed.charge,
            job.metric,
            window.id,
            job.key,
            window.start,
            window.end,
            number,
            revision.quantity,
            revision.included,
            revision.billable,
            revision.quota_share,
            revision.window_amount,
            revision.amount,
            untaxed,
            window.currency,
            agreed.product,
            agreed.currency,
            stored_terms(agreed),
            agreed.rate_from,
            agreed.rate_to,
            agreed.discount,
            json.dumps(revision.counted),
            json.dumps(explanation),
            revision.peak,
        )

    def _upsert(self, rows):
        # Not through the ORM: quantities must not pass through a float, and one
        # statement does for thousands of rows what create() does one by one.
        self.env["sale.order.line"].flush_model(["order_id", "fc_charge_id"])
        lines = {
            (order_id, charge_id): line_id
            for order_id, charge_id, line_id in self.env.execute_query(
                SQL(
                    "SELECT order_id, fc_charge_id, id FROM sale_order_line"
                    " WHERE order_id = ANY(%s) AND fc_charge_id IS NOT NULL",
                    [row[0] for row in rows],
                )
            )
        }
        now = self.env.cr.now()
        updated = SQL(", ").join(
            SQL("%s = excluded.%s", SQL.identifier(name), SQL.identifier(name))
            for name in _TYPES
            if name not in _FIXED
        )
        insert_rows(
            self.env,
            "fusion_billing_rating",
            _TYPES,
            [(*row, lines.get((row[0], row[3])), "open", now, now) for row in rows],
            SQL(
                "ON CONFLICT (agreement_id) WHERE state = 'open' DO UPDATE SET %s",
                updated,
            ),
        )
        self.env["fusion.billing.rating"].invalidate_model(flush=False)
        self.env["sale.order"].browse({row[0] for row in rows}).invalidate_recordset(
            ["fc_rating_ids"], flush=False
        )
        self.env["sale.order.line"].invalidate_model(
            ["fc_open_rating_ids"], flush=False
        )

    def _tell_thresholds(self, reached):
        """Tell the services which shares of a quota were reached, each once a window.

        :param reached: list of (job, order, share known before, ``Revision``)
        """
        events = []
        for job, order, before, revision in reached:
            for service in order._fc_services():
                for share in service._fc_threshold_shares():
                    if before < share <= revision.peak:
                        events.append(
                            (
                                service,
                                "usage.threshold_reached",
                                self._threshold_data(job, order, share, revision),
                            )
                        )
        self.env["fusion.billing.webhook"]._enqueue_all(events)

    def _threshold_data(self, job, order, share, revision):
        metric = self.env["fusion.billing.metric"].browse(job.metric)
        return ThresholdReachedData(
            subscription_id=order.id,
            external_id=order.fc_external_id or None,
            metric=metric.code,
            window_start=job.window.start,
            window_end=job.window.end,
            threshold_percent=share,
            quantity=revision.quantity,
            included_quota=revision.agreement.terms.included,
        ).as_json()


def _open_revision(aggregated):
    [values] = aggregated
    quantity, included, billable, window_amount, amount, peak, *rest, counted = values
    charge, product, currency, *priced = rest
    return Revision(
        agreement=agreement_of(int(charge), int(product), int(currency), priced),
        quantity=Decimal(quantity),
        included=Decimal(included),
        billable=Decimal(billable),
        window_amount=Decimal(window_amount),
        amount=Decimal(amount),
        counted=tuple(json.loads(counted or "[]")),
        peak=int(peak or 0),
    )
