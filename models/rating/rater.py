import json
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ...engine.billing import money, windows
from ...engine.billing.ledger import Adjustment
from ...engine.billing.pricing import PriceTerms
from ...engine.billing.rating import (
    Agreement,
    Revision,
    Standing,
    is_news,
    next_revision,
)


class Window(NamedTuple):
    """A row of ``fusion.billing.window``, as far as rating asks of it."""

    id: int
    order: int
    company: int
    plan: int
    currency: int
    start: datetime
    end: datetime
    first_day: object
    end_day: object
    kind: str
    is_settled: bool


class Job(NamedTuple):
    """One thing to rate: a metric of a window, at an agreement.

    ``known``: the agreement as it is stored, under the id ``key``; None: not yet.
    """

    window: Window
    metric: int
    agreement: Agreement
    known: Agreement | None
    key: int | None


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
        :return: the orders that something was written for
        """
        if not orders:
            return orders
        self.env["fusion.billing.timeline"]._catch_up(orders)
        for model in ("fusion.billing.rating", "fusion.billing.window.charge"):
            self.env[model].flush_model()
        self.env["fusion.billing.adjustment"].flush_model()
        dirty, rechecked = self.env["fusion.billing.rating.queue"].sudo()._take(orders)
        found = self._windows(orders, dirty)
        jobs = self._jobs(orders, found)
        standing = self._standing([job.key for job in jobs if job.key])
        jobs = self._agree(jobs, standing)
        changed = self._write(orders, jobs, standing, frozenset(settle))
        self.env["fusion.billing.allocation"]._recheck(
            orders, dirty, rechecked, settles=bool(settle)
        )
        return changed

    @api.model
    def _preview(self, window):
        """Price a window as its invoice will, without writing anything.

        :param window: one ``fusion.billing.window``
        :return: list of (``Job``, ``Revision``)
        """
        order = window.subscription_id.sudo()
        row = self._rows(SQL("w.id = %s", window.id))
        jobs = [job for job in self._jobs(order, row) if job.agreement.terms]
        quantities = self._quantities(jobs)
        step = money.to_decimal(window.currency_id.rounding)
        return [
            (job, next_revision(job.agreement, quantity, step, Standing()))
            for job, quantity in zip(jobs, quantities, strict=True)
        ]

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

    # -- at which prices -------------------------------------------------------

    def _jobs(self, orders, found):
        """List each :class:`Job` of these windows.

        A settled agreement says itself what it is; an open one follows the charges.
        """
        settled, opened = self._known_agreements([window.id for window in found])
        prices = self._prices(orders, found)
        jobs = []
        for window in found:
            mine, follows = settled.get(window.id, {}), opened.get(window.id, {})
            jobs += [
                Job(window, metric, agreement, agreement, key)
                for metric, (key, agreement) in mine.items()
            ]
            billed = window.kind == windows.BILLING
            asked = billed and (follows or not window.is_settled)
            wanted = prices(window) if asked else {}
            metrics = follows if window.is_settled else {**follows, **wanted}
            for metric in metrics:
                if metric in mine:
                    continue
                key, known = follows.get(metric, (None, None))
                agreement = wanted.get(metric) or known.without_price()
                jobs.append(Job(window, metric, agreement, known, key))
        return jobs

    def _known_agreements(self, window_ids):
        """(settled, open) ones: {window id: {metric id: (id, ``Agreement``)}}."""
        found = defaultdict(dict), defaultdict(dict)
        for window, metric, key, state, *values in self.env.execute_query(
            SQL(
                """
                SELECT window_id, metric_id, id, state, charge_id, product_id,
                       charge_currency_id, terms, rate_from::text, rate_to::text,
                       coalesce(discount, 0)::text
                  FROM fusion_billing_window_charge WHERE window_id = ANY(%s)
                """,
                window_ids,
            )
        ):
            found[state == "open"][window][metric] = key, _agreement(*values)
        return found

    def _prices(self, orders, found):
        """A function: what the charges say of a window, {metric id: ``Agreement``}."""
        Charge = self.env["fusion.billing.charge"].sudo().with_context(active_test=True)
        orders = {order.id: order for order in orders.browse({w.order for w in found})}
        follows = [window for window in found if window.kind == windows.BILLING]
        plans = {window.plan for window in follows}
        plans |= {order.plan_id.id for order in orders.values()}
        charges = Charge.search([("plan_id", "in", list(plans))])
        of_plan = charges.grouped(lambda c: (c.plan_id.id, c.company_id.id))
        terms = charges._price_terms()
        discounts = self._discounts(orders)
        rates = self.env["fusion.billing.rates"]._reader()
        chosen = {}

        def charges_of(window):
            order = orders[window.order]
            # A plan without charges had no prices that could be kept.
            mine = of_plan.get((window.plan, window.company)) or of_plan.get(
                (order.plan_id.id, window.company), Charge
            )
            key = mine.plan_id.id, window.company, window.first_day, window.currency
            if key not in chosen:
                currency = self.env["res.currency"].browse(window.currency)
                valid = mine._valid_on(window.first_day)
                chosen[key] = [
                    (metric.id, charge, terms[charge.id])
                    for metric, charge in valid._of_each_metric(currency).items()
                ]
            return chosen[key]

        def prices(window):
            result = {}
            for metric, charge, agreed in charges_of(window):
                pair = rates(
                    charge.currency_id.id,
                    window.currency,
                    window.company,
                    window.end_day,
                )
                result[metric] = Agreement(
                    charge=charge.id,
                    product=charge.product_id.id,
                    currency=charge.currency_id.id,
                    terms=agreed,
                    rate_from=pair and pair[0],
                    rate_to=pair and pair[1],
                    discount=discounts(window.order, charge.id),
                )
            return result

        return prices

    def _discounts(self, orders):
        """A function: the discount of a charge on an order, in percent (Decimal).

        A usage line's own, else the one that the order has for all of its usage.
        """
        self.env["sale.order.line"].flush_model(["discount", "fc_charge_id"])
        on_lines = {
            (order_id, charge_id): Decimal(discount)
            for order_id, charge_id, discount in self.env.execute_query(
                SQL(
                    "SELECT order_id, fc_charge_id, coalesce(discount, 0)::text"
                    "  FROM sale_order_line WHERE order_id = ANY(%s)"
                    "   AND fc_charge_id IS NOT NULL",
                    list(orders),
                )
            )
        }
        general = {
            key: money.to_decimal(order.fc_usage_discount)
            for key, order in orders.items()
        }
        return lambda order, charge: on_lines.get((order, charge), general[order])

    def _agree(self, jobs, standing):
        """Store what open agreements say now; return the jobs, each with its row."""
        unpriced = [
            job.key
            for job in jobs
            if job.agreement.terms is None and job.key not in standing
        ]
        if unpriced:
            self.env.cr.execute(
                "DELETE FROM fusion_billing_window_charge WHERE id = ANY(%s)",
                [unpriced],
            )
        gone = frozenset(unpriced)
        jobs = [job for job in jobs if job.key is None or job.key not in gone]
        news = [job for job in jobs if job.agreement != job.known]
        ids = self._store_agreements([self._agreement_row(job) for job in news])
        if gone or news:
            self.env["fusion.billing.window.charge"].invalidate_model(flush=False)
        return [
            job._replace(key=ids.get((job.window.id, job.metric), job.key))
            for job in jobs
        ]

    def _agreement_row(self, job):
        agreed, window = job.agreement, job.window
        return (
            window.id,
            window.order,
            window.company,
            job.metric,
            agreed.charge,
            agreed.product,
            None if agreed.terms is None else json.dumps(agreed.terms.as_dict()),
            agreed.currency,
            agreed.rate_from,
            agreed.rate_to,
            agreed.discount,
        )

    def _store_agreements(self, rows):
        if not rows:
            return {}
        stored = self.env.cr.execute_values(
            """
            INSERT INTO fusion_billing_window_charge
                   (window_id, subscription_id, company_id, metric_id, charge_id,
                    product_id, terms, charge_currency_id, rate_from, rate_to, discount,
                    state)
            VALUES %s
            ON CONFLICT (window_id, metric_id)
            DO UPDATE SET charge_id = excluded.charge_id,
                          product_id = excluded.product_id,
                          terms = excluded.terms,
                          charge_currency_id = excluded.charge_currency_id,
                          rate_from = excluded.rate_from,
                          rate_to = excluded.rate_to,
                          discount = excluded.discount
            RETURNING window_id, metric_id, id
            """,
            rows,
            template="(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open')",
            page_size=1000,
            fetch=True,
        )
        return {(window, metric): key for window, metric, key in stored}

    # -- how much was used -----------------------------------------------------

    def _quantities(self, jobs):
        """The aggregated usage of each job, in order (list of Decimal)."""
        Usage = self.env["fusion.billing.usage"].sudo()
        Metric = self.env["fusion.billing.metric"].sudo()
        Order = self.env["sale.order"].sudo()
        metrics = {m.id: m for m in Metric.browse({job.metric for job in jobs})}
        orders = {o.id: o for o in Order.browse({job.window.order for job in jobs})}
        return Usage._aggregate_windows(
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

    # -- what was charged ------------------------------------------------------

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

    def _write(self, orders, jobs, standing, settle):
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
        for job, quantity in zip(jobs, self._quantities(jobs), strict=True):
            known = standing.get(job.key, Standing())
            step = steps[job.window.currency]
            revision = next_revision(job.agreement, quantity, step, known)
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
            revision.window_amount,
            revision.amount,
            untaxed,
            window.currency,
            agreed.product,
            agreed.currency,
            None if agreed.terms is None else json.dumps(agreed.terms.as_dict()),
            agreed.rate_from,
            agreed.rate_to,
            agreed.discount,
            json.dumps(revision.counted),
            json.dumps(explanation),
            revision.peak,
            self.env.uid,
            self.env.uid,
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
        names = (
            "subscription_id partner_id company_id charge_id metric_id window_id"
            " agreement_id window_start window_end revision quantity included billable"
            " window_amount amount amount_untaxed currency_id product_id"
            " charge_currency_id terms rate_from rate_to discount counted explanation"
            " peak_share create_uid write_uid order_line_id"
        ).split()
        fixed = {"subscription_id", "metric_id", "window_id", "agreement_id"}
        fixed |= {"revision", "create_uid"}
        self.env.cr.execute_values(
            f"""
            INSERT INTO fusion_billing_rating
                   ({", ".join(names)}, state, create_date, write_date)
            VALUES %s
            ON CONFLICT (agreement_id) WHERE state = 'open'
            DO UPDATE SET {
                ", ".join(
                    f"{name} = excluded.{name}" for name in names if name not in fixed
                )
            }, write_date = excluded.write_date
            """,
            [(*row, lines.get((row[0], row[3]))) for row in rows],
            template="(" + "%s, " * len(names) + "'open', now() AT TIME ZONE 'UTC',"
            " now() AT TIME ZONE 'UTC')",
            page_size=1000,
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
        return {
            "subscription_id": order.id,
            "external_id": order.fc_external_id or None,
            "metric": metric.code,
            "window_start": f"{job.window.start.isoformat()}Z",
            "window_end": f"{job.window.end.isoformat()}Z",
            "threshold_percent": share,
            "quantity": money.format_decimal(revision.quantity),
            "included_quota": money.format_decimal(revision.agreement.terms.included),
        }


def _agreement(charge, product, currency, terms, rate_from, rate_to, discount):
    if isinstance(terms, str):
        terms = json.loads(terms)
    return Agreement(
        charge=charge,
        product=product,
        currency=currency,
        terms=PriceTerms.from_dict(terms) if terms else None,
        rate_from=rate_from and Decimal(rate_from),
        rate_to=rate_to and Decimal(rate_to),
        discount=Decimal(discount or 0),
    )


def _open_revision(aggregated):
    [values] = aggregated
    quantity, included, billable, window_amount, amount, peak, *rest, counted = values
    charge, product, currency, *priced = rest
    return Revision(
        agreement=_agreement(int(charge), int(product), int(currency), *priced),
        quantity=Decimal(quantity),
        included=Decimal(included),
        billable=Decimal(billable),
        window_amount=Decimal(window_amount),
        amount=Decimal(amount),
        counted=tuple(json.loads(counted or "[]")),
        peak=int(peak or 0),
    )
