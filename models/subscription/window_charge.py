from odoo import api, fields, models

from ..base.price_text import PriceText


class FusionBillingWindowCharge(models.Model):
    """The agreement: at which price one metric is billed in one window.

    Open it follows the charges: those of the window's plan that are valid on its first
    day. Settled, right before its invoice is made, it is asked instead of charges,
    plans, products and exchange rates.
    """

    _name = "fusion.billing.window.charge"
    _description = "Agreed Price of a Billing Window"
    _inherit = ["fusion.billing.guarded"]
    _order = "window_id desc, metric_id"

    window_id = fields.Many2one(
        "fusion.billing.window", required=True, ondelete="cascade", readonly=True
    )
    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    metric_id = fields.Many2one(
        "fusion.billing.metric", required=True, ondelete="restrict", readonly=True
    )
    charge_id = fields.Many2one(
        "fusion.billing.charge",
        string="Usage Price",
        required=True,
        ondelete="restrict",
        readonly=True,
        index=True,
    )
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="restrict", readonly=True
    )
    terms = fields.Json(
        "Price Data",
        readonly=True,
        help="The price in exact decimals. Empty: the metric has no price now.",
    )
    terms_text = fields.Char(string="Price", compute="_compute_terms_text")
    charge_currency_id = fields.Many2one(
        "res.currency", string="Currency of the Price", required=True, readonly=True
    )
    rate_from = fields.Float(
        string="Exchange Rate of the Price's Currency",
        digits=False,
        readonly=True,
        aggregator=None,
    )
    rate_to = fields.Float(
        string="Exchange Rate of the Invoice's Currency",
        digits=False,
        readonly=True,
        aggregator=None,
    )
    discount = fields.Float(
        string="Discount (%)", digits=False, readonly=True, aggregator=None
    )
    rate_date = fields.Date(
        string="Exchange Rates Of",
        readonly=True,
        help="The day of these exchange rates.",
    )
    state = fields.Selection(
        [("open", "Open"), ("settled", "Settled")],
        string="Status",
        required=True,
        default="open",
        readonly=True,
    )
    _one_for_metric = models.Constraint(
        "UNIQUE (window_id, metric_id)",
        "A metric can have only one price per billing window.",
    )

    @api.depends("terms", "charge_currency_id", "metric_id")
    @api.depends_context("lang")
    def _compute_terms_text(self):
        text = PriceText(self.env)
        for agreement in self:
            terms = agreement.terms
            if not terms:
                agreement.terms_text = self.env._("No price now")
                continue
            agreement.terms_text = text.sentence(
                terms,
                agreement.charge_currency_id.name,
                agreement.metric_id.unit_name or "",
            )

    @api.depends("window_id", "metric_id")
    def _compute_display_name(self):
        for agreement in self:
            agreement.display_name = (
                f"{agreement.window_id.display_name} {agreement.metric_id.name}"
            )
