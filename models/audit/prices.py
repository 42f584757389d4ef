import json
from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ...engine.billing import money
from ...engine.billing.ledger import Adjustment, charged_for
from ...engine.billing.pricing import PriceTerms
from ...engine.billing.rating import (
    Agreement,
    Standing,
    is_postable,
    next_revision,
)
from .check import KEPT

# Subscriptions whose windows are priced again at once.
BATCH = 1000


class FusionBillingAuditPrices(models.AbstractModel):
    """I6: what windows cost, priced again by the engine."""

    _name = "fusion.billing.audit.prices"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of Amounts"

    # -- I6: amount = price of the quantity, rounded once ----------------------

    def _check_i6(self, scope):
        """Price all of it again by the engine, a thousand subscriptions at a time."""
        found = {kind: [kind, [], 0] for kind in ("window_amount", "amount", "price")}
        after = 0
        while batch := self._next_batch(scope, after):
            inside = SQL("o.id = ANY(%s)", batch)
            for kind, rows in (
                ("window_amount", self._wrong_window_amounts(inside)),
                ("amount", self._wrong_totals(inside)),
                ("price", self._other_prices(inside)),
            ):
                for row in rows:
                    found[kind][2] += 1
                    if len(found[kind][1]) < KEPT:
                        found[kind][1].append(row)
            after = batch[-1]
        return self._count_rated(scope), [tuple(entry) for entry in found.values()]

    def _next_batch(self, scope, after):
        return [
            order_id
            for [order_id] in self.env.execute_query(
                SQL(
                    """
                    SELECT o.id FROM sale_order o
                     WHERE o.id > %s AND %s
                       AND EXISTS (SELECT FROM fusion_billing_window_charge a
                                    WHERE a.subscription_id = o.id)
                     ORDER BY 1 LIMIT %s
                    """,
                    after,
                    scope,
                    BATCH,
                )
            )
        ]

    def _wrong_window_amounts(self, scope):
        """Ratings, old ones too, whose window does not cost what they say."""
        for row in self.env.execute_query_dict(
            self._ratings(
                scope,
                SQL(
                    """
                    r.terms, r.quantity::text AS quantity, r.rate_from::text,
                    r.rate_to::text, coalesce(r.discount, 0)::text AS discount,
                    r.window_amount::text AS found, (
                        SELECT c.rounding::text FROM res_currency c
                         WHERE c.id = r.currency_id) AS rounding
                    """
                ),
                SQL("TRUE"),
            )
        ):
            expected = _window_amount(row)
            if expected is not None and expected != Decimal(row["found"] or 0):
                yield _told(row, expected, Decimal(row["found"] or 0))

    def _wrong_totals(self, scope):
        """Windows whose lines do not sum up to what they are to be charged."""
        adjustments = {}
        for agreement, rated, forgiven, ended in self.env.execute_query(
            SQL(
                """
                SELECT x.agreement_id, r.window_amount::text, x.forgiven::text,
                       x.ended_by_id IS NOT NULL
                  FROM fusion_billing_adjustment x
                  JOIN fusion_billing_rating r ON r.id = x.rating_id
                  JOIN sale_order o ON o.id = r.subscription_id
                 WHERE r.state = 'invoiced' AND %s
                 ORDER BY x.id
                """,
                scope,
            )
        ):
            known = adjustments.setdefault(agreement, [Decimal(0), []])
            known[0] += Decimal(forgiven)
            if not ended:
                known[1].append(Adjustment(Decimal(rated), Decimal(forgiven)))
        for row in self.env.execute_query_dict(
            SQL(
                """
                WITH %s
                SELECT k.agreement_id, k.subscription_id, k.metric_id, k.charge_id,
                       k.window_start, k.window_end, k.rating_id, k.move_id, k.terms,
                       k.quantity::text AS quantity, k.rate_from::text,
                       k.rate_to::text, coalesce(k.discount, 0)::text AS discount,
                       c.rounding::text AS rounding, (
                           SELECT coalesce(sum(r.amount), 0)::text
                             FROM fusion_billing_rating r
                            WHERE r.agreement_id = k.agreement_id
                              AND r.state <> 'released') AS live
                  FROM known k JOIN res_currency c ON c.id = k.currency_id
                 WHERE k.rating_id IS NOT NULL OR k.agreement_state = 'settled'
                """,
                self._ledger(scope),
            )
        ):
            less, counting = adjustments.get(row["agreement_id"], (Decimal(0), ()))
            amount = _window_amount(row)
            if amount is None:
                continue
            step = money.to_decimal(row["rounding"])
            expected = charged_for(amount, counting, step)
            charged = Decimal(row["live"]) - less
            if expected != charged:
                yield _told(row, expected, charged)

    def _other_prices(self, scope):
        """Open agreements that are not what the charges say."""
        Charge = self.env["fusion.billing.charge"].sudo()
        rows = self.env.execute_query_dict(
            SQL(
                """
                WITH %s
                SELECT k.subscription_id, k.metric_id, k.charge_id, k.window_start,
                       k.window_end, k.rating_id, k.terms,
                       c.active AND c.metric_id = k.metric_id
                       AND c.product_id = k.product_id
                       AND c.currency_id = k.charge_currency_id
                       AND (c.date_start IS NULL OR c.date_start <= w.first_day)
                       AND (c.date_end IS NULL OR w.first_day <= c.date_end) AS fits
                  FROM known k
                  JOIN fusion_billing_window w ON w.id = k.window_id
                  JOIN fusion_billing_charge c ON c.id = k.charge_id
                 WHERE k.agreement_state = 'open' AND k.terms IS NOT NULL
                """,
                self._ledger(scope),
            )
        )
        charges = Charge.browse({row["charge_id"] for row in rows})
        present = charges._price_terms()
        for row in rows:
            terms = present[row["charge_id"]]
            if row["fits"] and PriceTerms.from_dict(row["terms"]) == terms:
                continue
            row["expected"] = json.dumps(terms.as_dict())
            row["found"] = json.dumps(row["terms"])
            yield row


def _window_amount(row):
    """What a window comes to by the terms of a row (Decimal), rounded once.

    None: more than an invoice can carry, which rating has refused.
    """
    terms = row["terms"]
    agreement = Agreement(
        charge=0,
        product=0,
        currency=0,
        terms=PriceTerms.from_dict(terms) if terms else None,
        rate_from=row["rate_from"] and Decimal(row["rate_from"]),
        rate_to=row["rate_to"] and Decimal(row["rate_to"]),
        discount=Decimal(row["discount"]),
    )
    step = money.to_decimal(row["rounding"])
    quantity = Decimal(row["quantity"] or 0)
    revision = next_revision(agreement, quantity, step, Standing())
    return revision.window_amount if is_postable(revision, step) else None


def _told(row, expected, found):
    return {
        **row,
        "expected": money.format_decimal(expected),
        "found": money.format_decimal(found),
    }
