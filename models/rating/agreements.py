import json
from collections import defaultdict
from decimal import Decimal
from functools import lru_cache

from odoo import api, fields, models
from odoo.tools import SQL

from ...engine.billing import money, windows
from ...engine.billing.pricing import PriceTerms
from ...engine.billing.rating import Agreement
from ..base.insert_rows import insert_rows
from .jobs import Job

_TYPES = {
    "window_id": "int",
    "subscription_id": "int",
    "company_id": "int",
    "metric_id": "int",
    "charge_id": "int",
    "product_id": "int",
    "terms": "jsonb",
    "charge_currency_id": "int",
    "rate_from": "numeric",
    "rate_to": "numeric",
    "discount": "numeric",
    "rate_date": "date",
    "state": "varchar",
}


class FusionBillingAgreements(models.AbstractModel):
    """At which prices windows are rated, read and stored in bulk.

    The rows are those of ``fusion.billing.window.charge``.
    """

    _name = "fusion.billing.agreements"
    _description = "Agreed Prices in Bulk"

    @api.model
    def _jobs(self, orders, found):
        """List each :class:`Job` of these windows.

        A settled agreement says itself what it is; an open one follows the charges.
        """
        settled, opened = self._known_agreements([window.id for window in found])
        prices = self._prices(orders, found)
        jobs = []
        for window in found:
            mine, follows = settled.get(window.id, {}), opened.get(window.id, {})
            billed = window.kind == windows.BILLING
            jobs += [
                # A gap costs nothing, no minimum either; what was agreed is kept.
                Job(
                    window,
                    metric,
                    agreement if billed else agreement.without_price(),
                    agreement,
                    key,
                    False,
                )
                for metric, (key, agreement) in mine.items()
            ]
            asked = billed and (follows or not window.is_settled)
            wanted = prices(window) if asked else {}
            metrics = follows if window.is_settled else {**follows, **wanted}
            for metric in metrics:
                if metric in mine:
                    continue
                key, known = follows.get(metric, (None, None))
                agreement = wanted.get(metric) or known.without_price()
                jobs.append(Job(window, metric, agreement, known, key, True))
        return jobs

    def _known_agreements(self, window_ids):
        """(settled, open) ones: {window id: {metric id: (id, ``Agreement``)}}."""
        found = defaultdict(dict), defaultdict(dict)
        for window, metric, key, state, rate_day, *values in self.env.execute_query(
            SQL(
                """
                SELECT window_id, metric_id, id, state, rate_date,
                       charge_id, product_id, charge_currency_id, terms,
                       rate_from::text, rate_to::text,
                       coalesce(discount, 0)::text
                  FROM fusion_billing_window_charge WHERE window_id = ANY(%s)
                """,
                window_ids,
            )
        ):
            agreement = agreement_of(*values[:3], values[3:])
            found[state == "open"][window][metric] = key, agreement.dated(rate_day)
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
        chosen, today = {}, fields.Date.today()

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
                    rate_day=pair and min(window.end_day, today),
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

    @api.model
    def _agree(self, jobs, standing):
        """Store what open agreements say now; return the jobs, each with its row."""
        unpriced = [
            job.key
            for job in jobs
            if job.is_open and job.agreement.terms is None and job.key not in standing
        ]
        if unpriced:
            self.env.cr.execute(
                "DELETE FROM fusion_billing_window_charge WHERE id = ANY(%s)",
                [unpriced],
            )
        gone = frozenset(unpriced)
        jobs = [job for job in jobs if job.key is None or job.key not in gone]
        news = [
            job
            for job in jobs
            if job.is_open
            and (
                job.agreement != job.known
                or job.agreement.rate_day != job.known.rate_day
            )
        ]
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
            stored_terms(agreed),
            agreed.currency,
            agreed.rate_from,
            agreed.rate_to,
            agreed.discount,
            agreed.rate_day,
        )

    def _store_agreements(self, rows):
        stored = insert_rows(
            self.env,
            "fusion_billing_window_charge",
            _TYPES,
            [(*row, "open") for row in rows],
            """
            ON CONFLICT (window_id, metric_id)
            DO UPDATE SET charge_id = excluded.charge_id,
                          product_id = excluded.product_id,
                          terms = excluded.terms,
                          charge_currency_id = excluded.charge_currency_id,
                          rate_from = excluded.rate_from,
                          rate_to = excluded.rate_to,
                          discount = excluded.discount,
                          rate_date = excluded.rate_date
            RETURNING window_id, metric_id, id
            """,
        )
        return {(window, metric): key for window, metric, key in stored}


def stored_terms(agreement):
    """The terms of an ``Agreement`` as their column has them (JSON text or None)."""
    terms = agreement.terms
    return None if terms is None else _as_json(terms)


@lru_cache(maxsize=1000)
def _as_json(terms):
    # Cached: hundreds of subscriptions have the same terms.
    return json.dumps(terms.as_dict())


def agreement_of(charge, product, currency, priced):
    """An ``Agreement`` from the columns of an agreement or a rating, as text.

    :param priced: terms, rate from, rate to, discount
    """
    terms, rate_from, rate_to, discount = priced
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
