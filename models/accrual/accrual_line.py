from odoo import api, fields, models

OPEN = "open"
DRAFT = "draft"
LATER = "later"
LATE = "late"
NOTHING = "nothing"
UNALLOCATED = "unallocated"
FAILED = "failed"


class FusionBillingAccrualLine(models.Model):
    """What one metric of one window adds to an accrual, or why it adds nothing."""

    _name = "fusion.billing.accrual.line"
    _description = "Line of a Usage Accrual"
    _inherit = ["fusion.billing.guarded"]
    _order = "accrual_id desc, partner_id, subscription_id, id"

    accrual_id = fields.Many2one(
        "fusion.billing.accrual",
        required=True,
        ondelete="cascade",
        readonly=True,
        index=True,
    )
    company_id = fields.Many2one(related="accrual_id.company_id", store=True)
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        readonly=True,
        ondelete="restrict",
        help="The customer who gets the invoice.",
    )
    subscription_id = fields.Many2one(
        "sale.order", readonly=True, ondelete="restrict", index=True
    )
    window_id = fields.Many2one(
        "fusion.billing.window", readonly=True, ondelete="restrict"
    )
    metric_id = fields.Many2one(
        "fusion.billing.metric", readonly=True, ondelete="restrict"
    )
    charge_id = fields.Many2one(
        "fusion.billing.charge",
        string="Usage Price",
        readonly=True,
        ondelete="restrict",
    )
    product_id = fields.Many2one("product.product", readonly=True, ondelete="restrict")
    currency_id = fields.Many2one("res.currency", readonly=True)
    quantity = fields.Float(
        digits=False,
        readonly=True,
        aggregator=None,  # units of several metrics do not add up
        help="Used in the window, up to the cut-off.",
    )
    amount_used = fields.Monetary(
        string="Value Used",
        readonly=True,
        help="The value of the usage up to the cut-off, at the price and with the "
        "quota of its whole billing window, less what was forgiven. Tax is included or "
        "not depending on the taxes of the product.",
    )
    amount_booked = fields.Monetary(
        string="Invoiced by Cut-off",
        readonly=True,
        help="The part on posted invoices and credit notes with an accounting date up "
        "to the cut-off.",
    )
    amount = fields.Monetary(
        string="Accrued",
        readonly=True,
        help="Value used less invoiced by the cut-off, untaxed.",
    )
    balance = fields.Monetary(
        string="Accrued in Company Currency",
        readonly=True,
        currency_field="company_currency_id",
        help="At the exchange rate of the cut-off day.",
    )
    late_amount = fields.Monetary(
        string="In a Locked Period",
        readonly=True,
        help="The part that was used in a locked period and was not in its books. It "
        "counts here, in the first open period.",
    )
    reason = fields.Selection(
        [
            (OPEN, "Not invoiced yet"),
            (DRAFT, "On a draft invoice"),
            (LATER, "Invoiced after the cut-off"),
            (LATE, "Came after the invoice"),
            (NOTHING, "Left out: comes to nothing"),
            (UNALLOCATED, "Left out: no billing window"),
            (FAILED, "Left out: cannot be rated"),
        ],
        required=True,
        readonly=True,
        default=OPEN,
        help="Why it is accrued, or why it is not.",
    )
    detail = fields.Char(readonly=True)
    account_id = fields.Many2one(
        "account.account", string="Income Account", readonly=True, ondelete="restrict"
    )
    analytic_distribution = fields.Json(readonly=True)
    explanation = fields.Json("Calculation Data", readonly=True, prefetch=False)
    explanation_text = fields.Text(
        string="Calculation", compute="_compute_explanation_text"
    )
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal Item",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        check_company=True,
    )

    @api.depends("subscription_id", "metric_id", "accrual_id.date")
    def _compute_display_name(self):
        for line in self:
            names = line.sudo()
            line.display_name = " ".join(
                filter(
                    None,
                    (
                        names.subscription_id.name,
                        names.metric_id.name,
                        fields.Date.to_string(names.accrual_id.date),
                    ),
                )
            )

    @api.depends("explanation")
    def _compute_explanation_text(self):
        Arithmetic = self.env["fusion.billing.arithmetic"]
        for line in self:
            line.explanation_text = line.explanation and Arithmetic._text(
                line.explanation, line.currency_id
            )

    def action_view_usage(self):
        """Open the events that the quantity was made of, up to the cut-off."""
        self.ensure_one()
        self.check_access("read")
        line = self.sudo()
        if not line.window_id:
            domain = [
                ("subscription_id", "=", line.subscription_id.id),
                ("unallocated", "=", True),
                ("voided_at", "=", False),
                ("period_start", "<", line.accrual_id.cutoff),
            ]
            if line.metric_id:
                domain.append(("metric_id", "=", line.metric_id.id))
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Usage Events"),
                "res_model": "fusion.billing.usage",
                "view_mode": "list,form",
                "domain": domain,
            }
        return self.env["fusion.billing.usage"]._action_view_window(
            line.subscription_id,
            line.metric_id,
            line.window_id.start,
            min(line.window_id.end, line.accrual_id.cutoff),
        )

    def action_view_ratings(self):
        """Open what the ledger has of the same window and metric."""
        self.ensure_one()
        self.check_access("read")
        line = self.sudo()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Usage Ratings"),
            "res_model": "fusion.billing.rating",
            "view_mode": "list,form",
            "domain": [
                ("window_id", "=", line.window_id.id),
                ("metric_id", "=", line.metric_id.id),
            ],
        }
