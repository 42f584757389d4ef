from odoo import api, fields, models


class FusionBillingPriceDraftResult(models.Model):
    """What a metric of a subscription costs today, and would cost with a draft.

    Written by the comparison, as a whole, with SQL.
    """

    _name = "fusion.billing.price.draft.result"
    _description = "Price Comparison"
    _inherit = ["fusion.billing.guarded"]
    _order = "difference desc, id"
    _rec_name = "subscription_id"
    _log_access = False

    draft_id = fields.Many2one(
        "fusion.billing.price.draft",
        required=True,
        ondelete="cascade",
        index=True,
        readonly=True,
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    partner_id = fields.Many2one(
        "res.partner", string="Customer", ondelete="cascade", readonly=True
    )
    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="cascade", index=True, readonly=True
    )
    plan_id = fields.Many2one(
        "sale.subscription.plan", ondelete="cascade", readonly=True
    )
    metric_id = fields.Many2one(
        "fusion.billing.metric", required=True, ondelete="cascade", readonly=True
    )
    charge_id = fields.Many2one(
        "fusion.billing.charge",
        string="New Price",
        required=True,
        ondelete="cascade",
        index=True,
        readonly=True,
    )
    live_charge_id = fields.Many2one(
        "fusion.billing.charge",
        string="Current Price",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
        help="Empty: the metric has no price today.",
    )
    window_start = fields.Datetime(required=True, readonly=True)
    window_end = fields.Datetime(
        required=True, readonly=True, help="The first moment after the billing window."
    )
    first_day = fields.Date(readonly=True, help="In the company's billing time zone.")
    last_day = fields.Date(readonly=True, help="In the company's billing time zone.")
    quantity = fields.Float(digits=False, readonly=True, aggregator=None)
    amount_live = fields.Monetary(string="Today", readonly=True)
    amount_draft = fields.Monetary(string="With the Draft", readonly=True)
    difference = fields.Monetary(
        readonly=True,
        help="With the draft minus today: above 0 the customer pays more.",
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    explanation_live = fields.Json("Calculation Data Today", readonly=True)
    explanation_draft = fields.Json("Calculation Data with the Draft", readonly=True)
    text_live = fields.Text(string="Calculation Today", compute="_compute_texts")
    text_draft = fields.Text(
        string="Calculation with the Draft", compute="_compute_texts"
    )

    @api.depends("explanation_live", "explanation_draft")
    def _compute_texts(self):
        explain = self.env["fusion.billing.arithmetic"]._text
        for result in self:
            currency = result.currency_id
            result.text_live = (
                explain(result.explanation_live, currency)
                if result.explanation_live
                else self.env._("The metric has no price today.")
            )
            result.text_draft = explain(result.explanation_draft, currency)

    def action_view_usage(self):
        """Open the events that the quantity was made of."""
        self.ensure_one()
        self.check_access("read")
        return self.env["fusion.billing.usage"]._action_view_window(
            self.subscription_id, self.metric_id, self.window_start, self.window_end
        )


class FusionBillingPriceDraftTotal(models.Model):
    """The sums of a comparison, in one currency."""

    _name = "fusion.billing.price.draft.total"
    _description = "Price Comparison Total"
    _inherit = ["fusion.billing.guarded"]
    _order = "draft_id, id"
    _rec_name = "currency_id"
    _log_access = False

    draft_id = fields.Many2one(
        "fusion.billing.price.draft",
        required=True,
        ondelete="cascade",
        index=True,
        readonly=True,
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    customer_count = fields.Integer(string="Customers", readonly=True)
    more_count = fields.Integer(string="Customers Paying More", readonly=True)
    less_count = fields.Integer(string="Customers Paying Less", readonly=True)
    amount_live = fields.Monetary(string="Today", readonly=True)
    amount_draft = fields.Monetary(string="With the Draft", readonly=True)
    difference = fields.Monetary(readonly=True)
