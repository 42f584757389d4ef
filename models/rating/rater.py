from datetime import date, datetime

from odoo import api, models
from odoo.tools import SQL

from ...engine.billing import money, windows
from ...engine.billing.rating import Standing, next_revision
from .jobs import Window


class FusionBillingRater(models.AbstractModel):
    """Rating: the usage of windows becomes amounts in the ledger.

    From top to bottom: which windows, at which prices, how much was used, what it
    comes to (``engine/billing/rating.py``), what is written.
    """

    _name = "fusion.billing.rater"
    _description = "Rating"

    @api.model
    def _rate(self, orders, settle=()):
        """Bring the ledger of these subscriptions up to date.

        Covers their windows that are not settled, every one with an open rating or a
        price that was opened anew, and, as far back as their usage has changed
        (``fusion.billing.rating.queue`` knows), those that were settled.

        :param orders: ``sale.order`` records, subscriptions
        :param settle: ids of windows that are about to be settled
        :return: the orders whose lines may say something else now
        """
        if not orders:
            return orders
        self, orders = self.sudo(), orders.sudo()
        self.env["fusion.billing.timeline"]._catch_up(orders)
        self._agree_with(orders)
        for model in ("fusion.billing.rating", "fusion.billing.window.charge"):
            self.env[model].flush_model()
        self.env["fusion.billing.adjustment"].flush_model()
        dirty, rechecked = self.env["fusion.billing.rating.queue"].sudo()._take(orders)
        found = self._windows(orders, dirty)
        Agreements = self.env["fusion.billing.agreements"]
        Ledger = self.env["fusion.billing.ledger"]
        jobs = Agreements._jobs(orders, found)
        standing = Ledger._standing([job.key for job in jobs if job.key])
        rechecked = self._with_repriced(rechecked, jobs)
        jobs = Agreements._agree(jobs, standing)
        used = self._used(jobs)
        quantities = [quantity for quantity, _count in used]
        changed = Ledger._write(orders, jobs, quantities, standing, frozenset(settle))
        self.env["fusion.billing.allocation"]._recheck(
            orders, dirty, rechecked, settles=bool(settle)
        )
        self.env["fusion.billing.window"]._note_rated(
            [window.id for window in found],
            [
                (job.window.id, count)
                for job, (_q, count) in zip(jobs, used, strict=True)
            ],
        )
        self.env["fusion.billing.window"]._seal_again(
            [window.id for window in found if window.order in dirty]
        )
        # Another date can make another window the next to be billed.
        return changed | orders.filtered(lambda order: order.id in rechecked)

    def _with_repriced(self, rechecked, jobs):
        """``rechecked``, and where a settled window got a price later, or lost it.

        What a document has given back of it follows the charges again, until billed.
        """
        result = dict(rechecked)
        for job in jobs:
            order, start = job.window.order, job.window.start
            had_price = job.known is not None and job.known.terms is not None
            if (
                job.is_open
                and job.window.is_settled
                and had_price != (job.agreement.terms is not None)
            ):
                result[order] = min(start, result.get(order, start))
        return result

    def _agree_with(self, orders):
        """Windows that were never settled are agreed with today's customer."""
        orders.flush_recordset(["partner_id", "currency_id"])
        self.env["fusion.billing.window"].flush_model()
        self.env.cr.execute(
            """
            UPDATE fusion_billing_window w
               SET partner_id = o.partner_id, currency_id = o.currency_id
              FROM sale_order o
             WHERE o.id = w.subscription_id AND o.id = ANY(%s)
               AND w.settled_at IS NULL
               AND (w.partner_id, w.currency_id)
                   IS DISTINCT FROM (o.partner_id, o.currency_id)
            """,
            [orders.ids],
        )
        if self.env.cr.rowcount:
            self.env["fusion.billing.window"].invalidate_model(flush=False)

    @api.model
    def _preview(self, window):
        """Price a window as its invoice will, without writing anything.

        :param window: one ``fusion.billing.window``
        :return: list of (``Job``, ``Revision``)
        """
        self, window = self.sudo(), window.sudo()
        step = money.to_decimal(window.currency_id.rounding)
        return [
            (job, next_revision(job.agreement, quantity, step, Standing()))
            for job, quantity in self._quantified(SQL("w.id = %s", window.id))
            if job.agreement.terms
        ]

    @api.model
    def _quantified(self, condition, end=datetime.max, end_day=date.max):
        """What is to be priced of some windows, and how much was used; writes nothing.

        :param SQL condition: on ``w``, the window
        :param end: naive UTC; of windows that end later, as if they ended then
        :param end_day: the day that begins then
        :return: list of (``Job``, Decimal)
        """
        self = self.sudo()
        found = [
            window._replace(
                end=min(window.end, end), end_day=min(window.end_day, end_day)
            )
            for window in self._rows(condition)
        ]
        orders = self.env["sale.order"].browse({window.order for window in found})
        jobs = self.env["fusion.billing.agreements"]._jobs(orders, found)
        return list(zip(jobs, self._quantities(jobs), strict=True))

    @api.model
    def _still_to_charge(self, orders):
        """What rating these subscriptions now would leave to be charged.

        Reads what :meth:`_rate` reads, and writes nothing.

        :return: list of (``Job``, ``Revision``), of windows that have an amount
        """
        self, orders = self.sudo(), orders.sudo()
        for model in ("fusion.billing.rating", "fusion.billing.adjustment"):
            self.env[model].flush_model()
        changed = self.env["fusion.billing.rating.queue"]._changed_since(orders)
        found = self._windows(orders, changed)
        jobs = self.env["fusion.billing.agreements"]._jobs(orders, found)
        Ledger = self.env["fusion.billing.ledger"]
        standing = Ledger._standing([job.key for job in jobs if job.key])
        currencies = self.env["res.currency"].browse(
            {job.window.currency for job in jobs}
        )
        steps = {c.id: money.to_decimal(c.rounding) for c in currencies}
        revisions = [
            (
                job,
                next_revision(
                    job.agreement,
                    quantity,
                    steps[job.window.currency],
                    standing.get(job.key, Standing()),
                ),
            )
            for job, quantity in zip(jobs, self._quantities(jobs), strict=True)
        ]
        return [(job, revision) for job, revision in revisions if revision.amount]

    # -- which windows ---------------------------------------------------------

    def _windows(self, orders, dirty):
        """The windows to rate; ``dirty``: order id -> since when usage has changed."""
        self.env["fusion.billing.window"].flush_model()
        return self._rows(
            SQL(
                """
                w.id IN (
                    SELECT w.id
                      FROM unnest(%s::int[], %s::timestamp[]) AS o(id, since)
                      JOIN fusion_billing_window w ON w.subscription_id = o.id
                     WHERE (w.is_settled IS NOT TRUE AND w.kind = 'billing')
                        OR w."end" > o.since
                        OR EXISTS (SELECT FROM fusion_billing_rating r
                                    WHERE r.window_id = w.id AND r.state = 'open')
                        OR EXISTS (SELECT FROM fusion_billing_window_charge a
                                    WHERE a.window_id = w.id AND a.state = 'open'))
                """,
                orders.ids,
                [dirty.get(order_id, datetime.max) for order_id in orders.ids],
            )
        )

    def _rows(self, condition):
        return [
            Window(*row)
            for row in self.env.execute_query(
                SQL(
                    """
                    SELECT w.id, w.subscription_id, w.company_id, w.plan_id,
                           w.currency_id, w.start, w."end", w.first_day, w.end_day,
                           w.kind, w.is_settled IS TRUE
                      FROM fusion_billing_window w WHERE %s
                     ORDER BY w.subscription_id, w.start
                    """,
                    condition,
                )
            )
        ]

    # -- how much was used -----------------------------------------------------

    def _quantities(self, jobs):
        """The aggregated usage of each job, in order (list of Decimal)."""
        return [quantity for quantity, _count in self._used(jobs)]

    def _used(self, jobs):
        """The aggregated usage of each job, in order: list of (Decimal, events)."""
        Usage = self.env["fusion.billing.usage"].sudo()
        Metric = self.env["fusion.billing.metric"].sudo()
        Order = self.env["sale.order"].sudo()
        metrics = {m.id: m for m in Metric.browse({job.metric for job in jobs})}
        orders = {o.id: o for o in Order.browse({job.window.order for job in jobs})}
        return Usage._aggregate_counted(
            [
                (
                    orders[job.window.order],
                    metrics[job.metric],
                    job.window.start,
                    # A gap bills nothing of what lies in it.
                    job.window.end
                    if job.window.kind == windows.BILLING
                    else job.window.start,
                )
                for job in jobs
            ]
        )
