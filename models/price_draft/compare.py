import json
from collections import namedtuple
from datetime import date, timedelta
from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from ...engine.billing import money
from ...engine.billing.rating import Agreement, Standing, next_revision
from ..base.insert_rows import insert_rows

_TYPES = {
    "draft_id": "int",
    "company_id": "int",
    "partner_id": "int",
    "subscription_id": "int",
    "plan_id": "int",
    "metric_id": "int",
    "charge_id": "int",
    "live_charge_id": "int",
    "window_start": "timestamp",
    "window_end": "timestamp",
    "first_day": "date",
    "last_day": "date",
    "quantity": "numeric",
    "amount_live": "numeric",
    "amount_draft": "numeric",
    "difference": "numeric",
    "currency_id": "int",
    "explanation_live": "jsonb",
    "explanation_draft": "jsonb",
}

# Subscriptions that are held in memory at a time.
BATCH = 1000
# One thing to compare; ``live``: the charge of today, or None.
Pair = namedtuple("Pair", "order window live draft")


class FusionBillingPriceDraftComparison(models.AbstractModel):
    """Price the last window's real usage twice: as it is, and as it would be.

    Both by the function that invoices (the engine's ``next_revision``). Nothing but the
    draft's own results is written.
    """

    _name = "fusion.billing.price.draft.comparison"
    _description = "Comparison of Prices"

    def action_compare(self):
        """The button: compare anew, in place of what was found before."""
        self.ensure_one()
        self._check_is_draft()
        if not self.charge_ids:
            raise UserError(
                self.env._("The draft has no prices yet. Copy those of a plan first.")
            )
        self.sudo()._compare(fields.Datetime.now())

    def _compare(self, now):
        """Compare every running subscription on a plan that the draft has prices for.

        :param datetime now: naive UTC; windows that have ended by then count
        """
        self.ensure_one()
        self.env.flush_all()
        for table in ("result", "total"):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE draft_id = %s",
                    SQL.identifier(f"fusion_billing_price_draft_{table}"),
                    self.id,
                )
            )
        plans = self.charge_ids.plan_id
        live = self._live_charges(plans)
        terms = (live | self.charge_ids)._price_terms()
        Order = self.env["sale.order"]
        orders = Order.search(
            [
                *Order._fc_running_domain(),
                ("company_id", "=", self.company_id.id),
                ("plan_id", "in", plans.ids),
            ],
            order="id",
        )
        choices, compared = {}, 0
        for batch in split_every(BATCH, orders.ids, Order.browse):
            windows = self.env["fusion.billing.window"]._last_ended(batch, now)
            compared += len(windows)
            self._store_results(self._pairs(windows, live, choices), terms)
        self._store_totals()
        self.env["fusion.billing.price.draft.result"].invalidate_model()
        self.env["fusion.billing.price.draft.total"].invalidate_model()
        self.invalidate_recordset(["result_ids", "total_ids"])
        self.write(
            {
                "compared_at": now,
                "is_outdated": False,
                "compared_count": compared,
                "skipped_count": len(orders) - compared,
            }
        )

    def _pairs(self, windows, live, choices):
        """What to price: a :class:`Pair` for each subscription and drafted metric.

        :param dict windows: subscription -> engine ``Span``
        :param live: the charges of today
        :param dict choices: what was chosen for a plan and currency; filled
        """
        pairs = []
        for order, window in windows.items():
            key = order.plan_id, order.currency_id
            if key not in choices:
                choices[key] = self._choose(live, *key)
            pairs += [Pair(order, window, *charges) for charges in choices[key]]
        return pairs

    def _choose(self, live, plan, currency):
        """List of (charge of today or None, charge of the draft) for a subscription.

        As they would be chosen with the draft live: a draft in another currency does
        not take the place of a live price in the subscription's own.
        """
        today = live.filtered(lambda c: c.plan_id == plan)
        drafted = self.charge_ids.filtered(lambda c: c.plan_id == plan)
        replaced = {charge._draft_key() for charge in drafted}
        kept = today.filtered(lambda c: c._draft_key() not in replaced)
        begins = self.live_date or fields.Date.context_today(self)
        then = (kept | drafted).sorted(
            # The order that charges are found in by rating.
            lambda c: (begins if c in drafted else c.date_start or date.max, c.id)
        )
        before = today._of_each_metric(currency)
        return [
            (before.get(metric), charge)
            for metric, charge in then._of_each_metric(currency).items()
            if charge in drafted
        ]

    def _store_results(self, pairs, terms):
        """Price each pair, and keep what it came to.

        :param dict terms: charge id -> engine ``PriceTerms``
        """
        if not pairs:
            return
        quantities = self.env["fusion.billing.usage"]._aggregate_windows(
            [
                (pair.order, pair.draft.metric_id, pair.window.start, pair.window.end)
                for pair in pairs
            ]
        )
        rows = []
        rates = self.env["fusion.billing.rates"]._reader()
        for pair, quantity in zip(pairs, quantities, strict=True):
            order, window = pair.order, pair.window
            priced = {"live": (Decimal(0), None), "draft": None}
            for key in priced:
                if charge := getattr(pair, key):
                    revision = self._priced(pair, charge, terms, quantity, rates)
                    priced[key] = revision.amount, json.dumps(revision.explanation)
            (was, because), (would_be, reason) = priced["live"], priced["draft"]
            rows.append(
                (
                    self.id,
                    self.company_id.id,
                    order.partner_id.commercial_partner_id.id,
                    order.id,
                    pair.draft.plan_id.id,
                    pair.draft.metric_id.id,
                    pair.draft.id,
                    pair.live.id if pair.live else None,
                    window.start,
                    window.end,
                    window.first_day,
                    window.end_day - timedelta(days=1),
                    quantity,
                    was,
                    would_be,
                    would_be - was,
                    order.currency_id.id,
                    because,
                    reason,
                )
            )
        insert_rows(self.env, "fusion_billing_price_draft_result", _TYPES, rows)

    def _priced(self, pair, charge, terms, quantity, rates):
        """What the usage of a window comes to with a charge (``Revision``)."""
        order, currency = pair.order, pair.order.currency_id
        pair_of_rates = rates(
            charge.currency_id.id,
            currency.id,
            order.company_id.id,
            pair.window.end_day,
        ) or (None, None)
        agreement = Agreement(
            charge=charge.id,
            product=charge.product_id.id,
            currency=charge.currency_id.id,
            terms=terms[charge.id],
            rate_from=pair_of_rates[0],
            rate_to=pair_of_rates[1],
        )
        revision = next_revision(
            agreement, quantity, money.to_decimal(currency.rounding), Standing()
        )
        revision.explanation["currency"] = charge.currency_id.name
        return revision

    def _store_totals(self):
        """Sum up for each currency; amounts of two currencies are never added."""
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_price_draft_total
                   (draft_id, company_id, currency_id, customer_count, more_count,
                    less_count, amount_live, amount_draft, difference)
            SELECT draft_id, company_id, currency_id, count(*),
                   count(*) FILTER (WHERE difference > 0),
                   count(*) FILTER (WHERE difference < 0),
                   sum(amount_live), sum(amount_draft), sum(difference)
              FROM (SELECT draft_id, company_id, currency_id, partner_id,
                           sum(amount_live) AS amount_live,
                           sum(amount_draft) AS amount_draft,
                           sum(difference) AS difference
                      FROM fusion_billing_price_draft_result
                     WHERE draft_id = %s
                     GROUP BY draft_id, company_id, currency_id, partner_id) customer
             GROUP BY draft_id, company_id, currency_id
            """,
            [self.id],
        )
