from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ...engine.billing import periods


class _Stretch(NamedTuple):
    """A window as far as it matters for what it bills."""

    order: int
    id: int
    start: datetime
    end: datetime
    first_day: object
    plan: int
    kind: str
    is_settled: bool


class FusionBillingAllocation(models.AbstractModel):
    """Which usage is billed by a window, and which by none: "unallocated".

    A settled window bills the metrics it has agreements for, one that is not those
    that the charges of its plan price, and so will the windows that are to come.
    """

    _name = "fusion.billing.allocation"
    _description = "Allocation of Usage to Billing Windows"

    @api.model
    def _spans(self, orders, since):
        """The time that is billed of each metric.

        :param orders: ``sale.order`` records
        :param since: naive UTC: of windows that end after it
        :return: {order id: {metric id: [engine ``Window``, ...]}}
        """
        stretches = self._stretches(orders, since)
        agreed = self._agreed([s.id for s in stretches if s.is_settled])
        spans = {order.id: defaultdict(list) for order in orders}
        by_id = {order.id: order for order in orders}
        ends = {}
        for stretch in stretches:
            order = by_id[stretch.order]
            ends[stretch.order] = stretch.end
            if stretch.kind != "billing":
                continue
            if stretch.is_settled:
                metrics = agreed[stretch.id]
            else:
                metrics = self._priced(order, stretch.plan, stretch.first_day)
            for metric in metrics:
                window = periods.Window(stretch.start, stretch.end)
                spans[stretch.order][metric].append(window)
        for order in orders:
            self._add_future(order, ends.get(order.id), spans[order.id])
        return spans

    @api.model
    def _spans_to_bill(self, order):
        """The time that is still to be invoiced: {metric id: [engine ``Window``, ...]}.

        Windows that are not settled, and those to come.
        """
        self.env["fusion.billing.timeline"]._catch_up(order)
        spans, end = defaultdict(list), None
        for stretch in self._stretches(order, datetime.min):
            end = stretch.end
            if stretch.kind == "billing" and not stretch.is_settled:
                for metric in self._priced(order, stretch.plan, stretch.first_day):
                    spans[metric].append(periods.Window(stretch.start, stretch.end))
        self._add_future(order, end, spans)
        return spans

    def _stretches(self, orders, since):
        self.env["fusion.billing.window"].flush_model()
        return [
            _Stretch(*row)
            for row in self.env.execute_query(
                SQL(
                    """
                    SELECT subscription_id, id, start, "end", first_day, plan_id, kind,
                           is_settled IS TRUE
                      FROM fusion_billing_window
                     WHERE subscription_id = ANY(%s) AND "end" > %s
                     ORDER BY subscription_id, start
                    """,
                    orders.ids,
                    since,
                )
            )
        ]

    def _agreed(self, window_ids):
        """What settled windows have a price for: {window id: [metric id, ...]}."""
        agreed = defaultdict(list)
        if window_ids:
            self.env["fusion.billing.window.charge"].flush_model()
            for window, metric in self.env.execute_query(
                SQL(
                    "SELECT window_id, metric_id FROM fusion_billing_window_charge"
                    " WHERE window_id = ANY(%s) AND terms IS NOT NULL",
                    window_ids,
                )
            ):
                agreed[window].append(metric)
        return agreed

    def _priced(self, order, plan, day):
        """Ids of the metrics that the charges of a plan price on a day."""
        return {
            metric
            for metric, start, end in self._terms(order, plan)
            if (not start or start <= day) and (not end or day <= end)
        }

    def _terms(self, order, plan):
        terms = self.env["fusion.billing.charge"]._terms_of_plan
        company = order.company_id.id
        # A plan without charges had no prices that could be kept.
        return terms(plan, company) or terms(order.plan_id.id, company)

    def _add_future(self, order, last_end, spans):
        """Windows that are to come: as long as it runs."""
        if order.state != "sale" or order.subscription_state != "3_progress":
            return
        next_day, end_day = order.next_invoice_date, order.end_date
        if not next_day or not order.start_date:
            return
        tz = order.company_id.fc_billing_tz
        end = periods.day_start_utc(end_day, tz) if end_day else datetime.max
        # All windows have ended by ``since``, or none was made yet.
        start = last_end or self._last_end(order)
        if start >= end:
            return
        for metric, _start, until in self._terms(order, order.plan_id.id):
            if not until or next_day <= until:
                spans[metric].append(periods.Window(start, end))

    def _last_end(self, order):
        last = (
            self.env["fusion.billing.window"]
            .sudo()
            .search([("subscription_id", "=", order.id)], order="end desc", limit=1)
        )
        if last:
            return last.end
        first = order.last_invoice_date or order.start_date
        return periods.day_start_utc(first, order.company_id.fc_billing_tz)

    # -- the flag --------------------------------------------------------------

    @api.model
    def _recheck(self, orders, dirty, rechecked, settles):
        """Ask anew of usage that may have changed its place.

        Ingestion has said of each event whether a window bills it. That holds unless
        the subscription was changed (``rechecked``), maybe while the event was on its
        way in: what lies outside the open windows is asked again, and all of a window
        that is settled.

        :param dict dirty: order id -> since when its usage has changed
        :param dict rechecked: order id -> since when its windows have
        :param bool settles: windows of these orders are about to be settled
        """
        asked = [o for o in orders if settles or o.id in dirty or o.id in rechecked]
        if not asked:
            return
        open_since = self._open_since(orders)
        since_of = {}
        for order in asked:
            open_start = open_since.get(order.id, datetime.max)
            since = min(dirty.get(order.id, datetime.max), open_start)
            if order.id in rechecked:
                since_of[order.id] = min(rechecked[order.id], since)
            elif settles or since < open_start or open_start == datetime.max:
                since_of[order.id] = since
        self._allocate(orders, since_of)

    def _open_since(self, orders):
        """When the first window begins that is not settled: {order id: naive UTC}."""
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT subscription_id, min(start) FROM fusion_billing_window
                     WHERE subscription_id = ANY(%s) AND kind = 'billing'
                       AND is_settled IS NOT TRUE
                     GROUP BY subscription_id
                    """,
                    orders.ids,
                )
            )
        )

    @api.model
    def _allocate(self, orders, since_of):
        """Set and clear the flag "unallocated" of usage from then on.

        :param dict since_of: order id -> naive UTC
        """
        orders = orders.filtered(
            lambda o: since_of.get(o.id, datetime.max) < datetime.max
        )
        if not orders:
            return
        since = min(since_of[order.id] for order in orders)
        rows = [
            (order_id, metric, span.start, span.end)
            for order_id, metrics in self._spans(orders, since).items()
            for metric, spans in metrics.items()
            for span in spans
        ]
        Usage = self.env["fusion.billing.usage"]
        Usage.flush_model()
        changed = 0
        for lost in (False, True):
            self.env.cr.execute(
                SQL(
                    """
                    WITH span AS (
                        SELECT *
                          FROM unnest(%s::int[], %s::int[], %s::timestamp[],
                                      %s::timestamp[])
                               AS open(subscription_id, metric_id, start_at, end_at)
                    )
                    UPDATE fusion_billing_usage u
                       SET unallocated = %s
                      FROM unnest(%s::int[], %s::timestamp[]) AS o(id, since)
                     WHERE u.subscription_id = o.id AND u.period_start >= o.since
                       AND u.voided_at IS NULL
                       AND u.unallocated IS %s TRUE
                       AND %s EXISTS (
                               SELECT FROM span
                                WHERE span.subscription_id = u.subscription_id
                                  AND span.metric_id = u.metric_id
                                  AND u.period_start >= span.start_at
                                  AND u.period_start < span.end_at)
                    """,
                    *([row[column] for row in rows] for column in range(4)),
                    lost,
                    orders.ids,
                    [since_of[order_id] for order_id in orders.ids],
                    SQL("NOT") if lost else SQL(""),
                    SQL("NOT") if lost else SQL(""),
                )
            )
            changed += self.env.cr.rowcount
        if changed:
            Usage.invalidate_model(["unallocated"])
