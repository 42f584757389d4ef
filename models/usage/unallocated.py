from dataclasses import replace
from decimal import Decimal

from odoo import fields, models
from odoo.tools import SQL

from ...engine.billing import money
from ...engine.billing.periods import day_start_utc
from ...engine.billing.pricing import price

_ZERO, _ONE = Decimal(0), Decimal(1)


class FusionBillingUsageUnallocated(models.AbstractModel):
    """Why no window bills an event, and what is at stake: for who has to decide."""

    _name = "fusion.billing.usage.unallocated"
    _description = "Unallocated Usage"

    unallocated_reason = fields.Selection(
        [
            ("before", "Before the subscription began"),
            ("gap", "In a pause, or after the end"),
            ("no_price", "No price for the metric"),
        ],
        string="Reason",
        compute="_compute_unallocated_reason",
        help="Why no invoice bills it automatically.",
    )
    unallocated_value = fields.Monetary(
        string="Value",
        currency_field="unallocated_currency_id",
        compute="_compute_unallocated_value",
        help="The value at today's price of its plan, without quota and minimum. "
        "Empty: the plan has no price, or a single event has no value of its own, for "
        "example if the metric counts the maximum.",
    )
    unallocated_currency_id = fields.Many2one(
        "res.currency",
        string="Currency of the Value",
        compute="_compute_unallocated_value",
    )

    def _compute_unallocated_reason(self):
        self.env["fusion.billing.window"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT u.id, w.kind, f.start IS NULL OR u.period_start < f.start
                  FROM fusion_billing_usage u
                  LEFT JOIN fusion_billing_window w
                    ON w.subscription_id = u.subscription_id
                   AND u.period_start >= w.start AND u.period_start < w."end"
                  LEFT JOIN LATERAL (
                           SELECT min(x.start) AS start FROM fusion_billing_window x
                            WHERE x.subscription_id = u.subscription_id) f ON true
                 WHERE u.id = ANY(%s)
                """,
                self._origin.ids,
            )
        )
        found = {usage_id: (kind, before) for usage_id, kind, before in rows}
        for usage in self:
            kind, before = found.get(usage._origin.id, (None, True))
            order = usage.subscription_id.sudo()
            if usage.state != "unallocated":
                usage.unallocated_reason = False
            elif before:
                usage.unallocated_reason = "before"
            elif kind == "billing" or (kind is None and usage._is_to_come(order)):
                usage.unallocated_reason = "no_price"
            else:
                usage.unallocated_reason = "gap"

    def _is_to_come(self, order):
        """Whether it lies in a window to come: only a price can be missing then."""
        end = order.end_date
        return order.subscription_state == "3_progress" and (
            not end
            or self.period_start < day_start_utc(end, order.company_id.fc_billing_tz)
        )

    def _compute_unallocated_value(self):
        exact = dict(
            self.env.execute_query(
                SQL(
                    "SELECT id, quantity::text FROM fusion_billing_usage"
                    " WHERE id = ANY(%s)",
                    self._origin.ids,
                )
            )
        )
        charges = {
            order: order.sudo()._fc_priced_by() for order in self.subscription_id
        }
        for usage in self:
            usage.unallocated_value = usage.unallocated_currency_id = False
            if usage.state != "unallocated":
                continue
            charge = charges[usage.subscription_id].filtered(
                lambda c, metric=usage.metric_id: c.metric_id == metric
            )[:1]
            quantity = usage._valued_quantity(exact.get(usage._origin.id))
            if not charge or quantity is None:
                continue
            terms = charge._price_terms()[charge.id]
            terms = replace(terms, included=_ZERO, minimum=_ZERO)
            amount = money.round_amount(
                price(terms, quantity).amount,
                money.to_decimal(charge.currency_id.rounding),
            )
            usage.unallocated_currency_id = charge.currency_id
            usage.unallocated_value = float(amount)

    def _valued_quantity(self, exact):
        """What the event alone adds to a window, or None where that is nothing sure."""
        aggregation = self.metric_id.sudo().aggregation
        if aggregation == "count":
            return _ONE
        return Decimal(exact) if exact and aggregation == "sum" else None
