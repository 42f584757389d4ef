from odoo import api, fields, models
from odoo.fields import Domain

from ..base import groups
from .figure import BY_CURRENCY, Figure

# Who may read invoices.
ACCOUNTING = "account.group_account_readonly,account.group_account_invoice"
SUBSCRIPTION = "invoice_line_ids.sale_line_ids.order_id"


class FusionBillingPartnerOverview(models.AbstractModel):
    """What a customer has used and owes: all subscriptions, apps and contacts of it."""

    _name = "fusion.billing.partner.overview"
    _description = "Usage of a Customer"
    _inherit = ["fusion.billing.figures"]

    fc_subscription_count = fields.Integer(
        string="Running Subscriptions",
        compute="_compute_fc_usage_figures",
        groups=groups.USER,
    )
    fc_window_amount = fields.Char(
        string="Current Window",
        compute="_compute_fc_usage_figures",
        groups=groups.USER,
        help="Usage in the current billing windows, as of the last rating.",
    )
    fc_unbilled_amount = fields.Char(
        string="Unbilled",
        compute="_compute_fc_usage_figures",
        groups=groups.USER,
        help="Usage that is not invoiced yet, of the current billing window and "
        "earlier ones.",
    )
    fc_billed_amount = fields.Char(
        string="Billed Usage",
        compute="_compute_fc_usage_figures",
        groups=groups.USER,
        help="Invoiced usage, less credited usage.",
    )
    fc_invoiced_amount = fields.Char(
        string="Invoiced",
        compute="_compute_fc_invoice_figures",
        groups=ACCOUNTING,
        help="Posted invoices of its subscriptions minus credit notes, with tax.",
    )
    fc_owed_amount = fields.Char(
        string="Amount Due",
        compute="_compute_fc_invoice_figures",
        groups=ACCOUNTING,
        help="The unpaid part of these invoices.",
    )

    def _fc_figure(self, name):
        """What a figure counts of one customer."""
        now = fields.Datetime.now()
        family = Domain("partner_id", "child_of", self.ids)
        ratings = Domain("window_id.partner_id", "child_of", self.ids)
        invoices = (
            Domain("move_type", "in", ("out_invoice", "out_refund"))
            & Domain("state", "=", "posted")
            & family
            & Domain(f"{SUBSCRIPTION}.is_subscription", "=", True)
        )
        return {
            "subscriptions": Figure(
                "overview_order_action",
                family
                & Domain("is_subscription", "=", True)
                & Domain("subscription_state", "in", ("3_progress", "4_paused")),
                {},
            ),
            "window": Figure(
                "rating_action",
                ratings
                & Domain("state", "=", "open")
                & Domain("window_start", "<=", now)
                & Domain("window_end", ">", now),
                BY_CURRENCY,
            ),
            "unbilled": Figure(
                "rating_action", ratings & self._unbilled_domain(), BY_CURRENCY
            ),
            "billed": Figure(
                "rating_action", ratings & Domain("state", "=", "invoiced"), BY_CURRENCY
            ),
            "invoiced": Figure("overview_invoice_action", invoices, {}),
            "owed": Figure(
                "overview_invoice_action",
                invoices & Domain("amount_residual", "!=", 0),
                {},
            ),
        }[name]

    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_fc_usage_figures(self):
        for partner in self:
            for name in ("window", "unbilled", "billed"):
                text = False
                if partner.ids:
                    domain = partner._fc_figure(name).domain
                    text = self._sum_text("fusion.billing.rating", domain, "amount")
                partner[f"fc_{name}_amount"] = text
            partner.fc_subscription_count = partner.ids and self._count_figure(
                "sale.order", partner._fc_figure("subscriptions")
            )

    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_fc_invoice_figures(self):
        for partner in self:
            for name, field in (
                ("invoiced", "amount_total"),
                ("owed", "amount_residual"),
            ):
                sums = {}
                if partner.ids:
                    domain = partner._fc_figure(name).domain
                    for kind, currency, amount in self.env["account.move"]._read_group(
                        domain, ["move_type", "currency_id"], [f"{field}:sum"]
                    ):
                        sign = -1 if kind == "out_refund" else 1
                        sums[currency] = sums.get(currency, 0.0) + sign * amount
                partner[f"fc_{name}_amount"] = self._text_of_sums(sums)

    def action_fc_open_figure(self):
        """Open the list behind the figure that the context names."""
        self.ensure_one()
        self.check_access("read")
        name = self.env.context.get("figure")
        field = self._fields.get(f"fc_{name}_amount")
        if field is None:
            name, field = "subscriptions", self._fields["fc_subscription_count"]
        title = field._description_string(self.env)
        return self._open_figure(title, self._fc_figure(name))
