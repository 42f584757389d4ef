from datetime import datetime

from odoo import models
from odoo.tools import SQL

from ..engine.billing import periods
from .sale_order import RENEWED

# What decides in which window usage lies, and at which price.
RATED_BY = frozenset(
    (
        "plan_id",
        "start_date",
        "last_invoice_date",
        "next_invoice_date",
        "end_date",
        "subscription_state",
        "state",
    )
)


class SaleOrder(models.Model):
    """Which usage belongs to a window, and which to none: "unallocated".

    It belongs to one that was invoiced, if a charge priced its metric there; else to
    the open one or one that will follow, if a charge of the plan does.
    """

    _inherit = "sale.order"

    def write(self, vals):
        if not RATED_BY & vals.keys():
            return super().write(vals)
        before = {order: order._fc_open_span() for order in self}
        result = super().write(vals)
        since_of = {}
        for order, old in before.items():
            new = order._fc_open_span()
            # The next window in its turn: no usage has changed its place.
            if new != old and (new.is_empty or new.start != order._fc_settled_until()):
                since_of[order.id] = min(old.start, new.start)
        subscriptions = self.filtered("is_subscription").sudo()
        if subscriptions:
            moved = subscriptions.filtered(lambda o: o.id in since_of)
            Queue = self.env["fusion.billing.rating.queue"].sudo()
            Queue._add(subscriptions - moved)
            # An event may be on its way in, beside this.
            for order in moved:
                Queue._add(order, since_of[order.id])
            moved._fc_allocate(since_of)
        return result

    def _fc_settled_until(self):
        """Where the window invoiced last ended, if the open one follows it."""
        self.ensure_one()
        return self.fc_settled_day == self.last_invoice_date and self.fc_settled_end

    def _fc_open_span(self):
        """The time whose usage is still to be invoiced (engine ``Window``).

        From the beginning of the open window on, without end unless the subscription
        has one; the window it ends in counts to its own end. One that was renewed is
        billed for the window it was renewed in.
        """
        self.ensure_one()
        first = self.last_invoice_date or self.start_date
        if not first or self.state != "sale" or self._fc_is_over():
            return periods.Window(datetime.max, datetime.max)
        tz = self.company_id.fc_billing_tz
        window = self._fc_window()
        ends = [self.end_date] if self.end_date else []
        if self.subscription_state == RENEWED:
            ends.append(self.next_invoice_date)
        start = window.start if window else periods.day_start_utc(first, tz)
        if not ends:
            return periods.Window(start, datetime.max)
        end = periods.day_start_utc(min(ends), tz)
        return periods.Window(start, max(end, window.end if window else start))

    def _fc_open_metrics(self):
        """Ids of the metrics that the plan has a price for, or will have.

        :return: (those of the open window, those of the windows after it)
        """
        self.ensure_one()
        first_day = self.last_invoice_date or self.start_date
        next_day = self.next_invoice_date or first_day
        terms = self.env["fusion.billing.charge"]._terms_of_plan
        charges = terms(self._fc_plan().id, self.company_id.id)
        charges = charges or terms(self.plan_id.id, self.company_id.id)
        now = {
            metric
            for metric, start, end in charges
            if (not start or start <= first_day) and (not end or first_day <= end)
        }
        later = {
            metric
            for metric, _start, end in terms(self.plan_id.id, self.company_id.id)
            if not end or next_day <= end
        }
        return now, later

    def _fc_spans_of_metrics(self):
        """The time that will be invoiced of each metric: {metric id: [Window, ...]}."""
        self.ensure_one()
        span, window = self._fc_open_span(), self._fc_window()
        if span.is_empty:
            return {}
        now, later = self._fc_open_metrics()
        turn = min(max(window.end if window else span.start, span.start), span.end)
        spans = {metric: [periods.Window(span.start, turn)] for metric in now}
        for metric in later:
            spans.setdefault(metric, []).append(periods.Window(turn, span.end))
        return spans

    def _fc_doubtful(self, dirty, rechecked, settle):
        """Since when usage has to be asked anew to which window it belongs.

        Ingestion has said so of each event. That holds unless the subscription was
        changed (``rechecked``), maybe while the event was on its way in: what lies
        outside the open window is asked again, and all of a window that is invoiced.

        :return: dict of order id -> naive UTC
        """
        doubtful = {}
        for order in self:
            window = order._fc_window()
            open_start = window.start if window else datetime.min
            since = min(dirty.get(order.id, datetime.max), open_start)
            if order.id in rechecked:
                doubtful[order.id] = min(rechecked[order.id], since)
            elif settle or (
                order.id in dirty and (since < open_start or order._fc_is_over())
            ):
                doubtful[order.id] = since
        return doubtful

    def _fc_allocate(self, since_of):
        """Set and clear the flag "unallocated" of usage from then on.

        :param dict since_of: order id -> naive UTC
        """
        if not since_of:
            return
        orders = self.filtered(lambda o: o.id in since_of)
        spans = [
            (order.id, metric, span.start, span.end)
            for order in orders
            for metric, spans in order._fc_spans_of_metrics().items()
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
                         UNION ALL
                        SELECT subscription_id, metric_id, window_start, window_end
                          FROM (SELECT DISTINCT ON (subscription_id, charge_id,
                                                    window_start)
                                       subscription_id, metric_id, window_start,
                                       window_end, explanation
                                  FROM fusion_billing_rating
                                 WHERE subscription_id = ANY(%s)
                                 ORDER BY subscription_id, charge_id, window_start,
                                          revision DESC) latest
                         WHERE explanation->>'superseded' IS NULL
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
                    *([row[column] for row in spans] for column in range(4)),
                    orders.ids,
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
