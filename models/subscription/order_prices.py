from odoo import api, fields, models

from ...engine.billing import money
from ..base import groups
from ..base.price_text import PriceText

# What two rows of prices are compared by: the day of a version with the same terms,
# or the words of another language, make no other price.
_COMPARED = ("metric_id", "terms", "currency", "discount")


class FusionBillingOrderPrices(models.AbstractModel):
    """Which usage prices an order has, and which of them the customer agreed to.

    Whoever sells the order sees them, also without the right to read charges.
    """

    _name = "fusion.billing.order.prices"
    _description = "Usage Prices of an Order"

    fc_charge_ids = fields.Many2many(
        "fusion.billing.charge",
        string="Usage Prices",
        compute="_compute_fc_charge_ids",
        groups=groups.USER,
        help="The usage prices of this order: those valid on the first day of its open "
        "billing window, and those that follow.",
    )
    fc_prices_html = fields.Html(
        string="Usage Prices of the Order",
        compute="_compute_fc_prices_html",
        sanitize=False,
    )
    fc_signed_prices = fields.Json(
        string="Agreed Price Terms", copy=False, readonly=True, prefetch=False
    )
    fc_signed_prices_at = fields.Datetime(
        string="Usage Prices Agreed On",
        copy=False,
        readonly=True,
        help="When the customer signed the order, or it was confirmed.",
    )
    fc_signed_prices_html = fields.Html(
        string="Agreed Usage Prices",
        compute="_compute_fc_prices_html",
        sanitize=False,
    )
    fc_prices_changed = fields.Boolean(
        "Prices Changed", compute="_compute_fc_prices_changed"
    )

    @api.depends("plan_id", "currency_id", "company_id", "start_date")
    def _compute_fc_charge_ids(self):
        for order in self:
            order.fc_charge_ids = order._fc_priced_by()

    @api.depends(
        "plan_id", "currency_id", "company_id", "start_date", "fc_usage_discount"
    )
    @api.depends_context("lang")
    def _compute_fc_prices_html(self):
        for order in self:
            order.fc_prices_html = order._fc_render_prices(order._fc_usage_prices())
            order.fc_signed_prices_html = order._fc_render_prices(
                order.fc_signed_prices or []
            )

    @api.depends("fc_signed_prices", "plan_id", "currency_id", "fc_usage_discount")
    def _compute_fc_prices_changed(self):
        for order in self:
            order.fc_prices_changed = bool(order.fc_signed_prices_at) and _compared(
                order.fc_signed_prices or []
            ) != _compared(order._fc_usage_prices())

    def _fc_render_prices(self, prices):
        if not prices:
            return False
        return self.env["ir.qweb"]._render(
            "fusion_centralized_billing.usage_prices_table", {"prices": prices}
        )

    def _fc_priced_by(self):
        """The charges of the open window, and those that follow, by the same rule."""
        self.ensure_one()
        Charge = self.env["fusion.billing.charge"].sudo()
        if not (self.is_subscription and self.plan_id):
            return Charge
        plan = self.plan_id._origin or self.plan_id
        charges = Charge.search(
            [
                ("active", "=", True),
                ("plan_id", "=", plan.id),
                ("company_id", "=", self.company_id.id),
            ]
        )
        today = fields.Date.context_today(self)
        first = self.last_invoice_date or self.start_date or today
        days = {c.date_start for c in charges if c.date_start and c.date_start > first}
        found = Charge
        for day in (first, *sorted(days)):
            valid = charges._valid_on(day)._of_each_metric(self.currency_id)
            found |= Charge.concat(*valid.values())
        return found.sorted(lambda c: (c.metric_id.name, c.date_start or first))

    def _fc_usage_prices(self):
        """The usage prices of this order, in the language of the context.

        :return: a list of JSON-able dicts; ``quota`` and ``lines`` are for people,
            ``terms`` are the exact ones
        """
        self.ensure_one()
        charges = self._fc_priced_by().with_context(lang=self.env.lang)
        text, terms, rows = PriceText(self.env), charges._price_terms(), []
        own = {
            line.fc_charge_id.id: line.discount
            for line in self.order_line
            if line.fc_charge_id
        }
        for charge in charges:
            kept, metric = terms[charge.id].as_dict(), charge.metric_id
            discount = own.get(charge.id, self.fc_usage_discount)
            rows.append(
                {
                    "charge_id": charge.id,
                    "metric_id": metric.id,
                    "metric": metric.name,
                    "currency": charge.currency_id.name,
                    "terms": kept,
                    "discount": money.format_decimal(money.to_decimal(discount)),
                    "valid_from": fields.Date.to_string(charge.date_start) or None,
                    "valid_until": fields.Date.to_string(charge.date_end) or None,
                    "quota": text.quota(kept, metric.unit_name or ""),
                    "lines": text.lines(kept, charge.currency_id.name),
                }
            )
        return rows

    def _fc_shown_prices(self):
        """What an order tells the customer: once he has agreed, what he agreed to."""
        self.ensure_one()
        if not self.is_subscription:
            return []
        if self.fc_signed_prices_at:
            return self.fc_signed_prices or []
        return self._fc_usage_prices()

    def _fc_keep_prices(self, vals):
        """Keep with the order the prices that are signed, or confirmed.

        What he has signed is not replaced by what is valid when it is confirmed.

        :param dict vals: what is about to be written
        """
        if vals.get("state") == "draft":  # the signature goes, too
            kept = self.filtered("fc_signed_prices_at").sudo()
            if kept:
                kept.write({"fc_signed_prices": False, "fc_signed_prices_at": False})
            return
        for order in self.filtered("is_subscription"):
            confirmed = vals.get("state") == "sale" and order.state != "sale"
            if vals.get("signature") or (confirmed and not order.fc_signed_prices_at):
                told = order.with_context(lang=order.partner_id.lang or self.env.lang)
                order.sudo().write(
                    {
                        "fc_signed_prices": told._fc_usage_prices(),
                        "fc_signed_prices_at": fields.Datetime.now(),
                    }
                )


def _compared(rows):
    return sorted(str([row[name] for name in _COMPARED]) for row in rows)
