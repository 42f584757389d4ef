from odoo import api, fields, models
from odoo.fields import Domain

from ..base import groups
from .figure import BY_CURRENCY, Figure

SUBSCRIPTION = "invoice_line_ids.sale_line_ids.order_id"


class FusionBillingPartnerOverview(models.AbstractModel):
    """What a customer has used and owes: all subscriptions, apps and contacts of it."""

    _name = "fusion.billing.partner.overview"
    _description = "Usage of a Customer"
    _inherit = ["fusion.billing.figures"]

    fc_subscription_count = fields.Integer(
        string="Running Subscriptions",
        compute="_compute_fc_usage_figures",
        groups=groups.EXPLAINED,
    )
    fc_window_amount = fields.Char(
        string="Current Window",
        compute="_compute_fc_usage_figures",
        groups=groups.EXPLAINED,
        help="Usage in the current billing windows, as of the last rating.",
    )
    fc_unbilled_amount = fields.Char(
        string="Unbilled",
        compute="_compute_fc_usage_figures",
        groups=groups.EXPLAINED,
        help="Usage that is not invoiced yet, of the current billing window and"
        " earlier ones.",
    )
    fc_billed_amount = fields.Char(
        string="Billed Usage",
        compute="_compute_fc_usage_figures",
        groups=groups.EXPLAINED,
        help="Invoiced usage, less credited usage.",
    )
    fc_near_quota_count = fields.Integer(
        string="Near or over Quota",
        compute="_compute_fc_usage_figures",
        groups=groups.EXPLAINED,
        help="Ratings of current billing windows with 80% or more of the quota used.",
    )
    fc_draft_amount = fields.Char(
        string="Draft Invoices",
        compute="_compute_fc_invoice_figures",
        groups=groups.ACCOUNTING,
        help="Draft invoices of its subscriptions minus credit notes, with tax.",
    )
    fc_invoiced_amount = fields.Char(
        string="Invoiced",
        compute="_compute_fc_invoice_figures",
        groups=groups.ACCOUNTING,
        help="Posted invoices of its subscriptions minus credit notes, with tax.",
    )
    fc_owed_amount = fields.Char(
        string="Amount Due",
        compute="_compute_fc_invoice_figures",
        groups=groups.ACCOUNTING,
        help="The unpaid part of these invoices.",
    )
    fc_overdue_amount = fields.Char(
        string="Overdue",
        compute="_compute_fc_invoice_figures",
        groups=groups.ACCOUNTING,
        help="What is still to be paid of invoices whose due date has passed.",
    )

    def _fc_figure(self, name):
        """What a figure counts of one customer."""
        now = fields.Datetime.now()
        family = Domain("partner_id", "child_of", self.ids)
        ratings = Domain("window_id.partner_id", "child_of", self.ids)
        documents = (
            Domain("move_type", "in", ("out_invoice", "out_refund"))
            & family
            & Domain(f"{SUBSCRIPTION}.is_subscription", "=", True)
        )
        invoices = documents & Domain("state", "=", "posted")
        unpaid = invoices & Domain("amount_residual", "!=", 0)
        today = fields.Date.context_today(self)
        return {
            "subscription": Figure(
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
            "owed": Figure("overview_invoice_action", unpaid, {}),
            "overdue": Figure(
                "overview_invoice_action",
                unpaid
                & Domain("move_type", "=", "out_invoice")
                & Domain("invoice_date_due", "<", today),
                {},
            ),
            "draft": Figure(
                "overview_invoice_action", documents & Domain("state", "=", "draft"), {}
            ),
            "near_quota": Figure(
                "rating_action", ratings & self._near_quota_domain(now), {}
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
            for name, model in (
                ("subscription", "sale.order"),
                ("near_quota", "fusion.billing.rating"),
            ):
                partner[f"fc_{name}_count"] = partner.ids and self._count_figure(
                    model, partner._fc_figure(name)
                )

    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_fc_invoice_figures(self):
        for partner in self:
            for name, field in (
                ("invoiced", "amount_total"),
                ("owed", "amount_residual"),
                ("overdue", "amount_residual"),
                ("draft", "amount_total"),
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
        field = self._fields.get(f"fc_{name}_amount") or self._fields.get(
            f"fc_{name}_count"
        )
        if field is None:
            name, field = "subscription", self._fields["fc_subscription_count"]
        title = field._description_string(self.env)
        return self._open_figure(title, self._fc_figure(name))
