from odoo import api, fields, models

from ..base import groups


class SaleSubscriptionPlan(models.Model):
    _inherit = "sale.subscription.plan"

    company_id = fields.Many2one(
        default=lambda self: self.env.user._fc_default_company(self._name)
    )
    fc_charge_ids = fields.One2many(
        "fusion.billing.charge",
        "plan_id",
        string="Usage Prices",
        groups=groups.USER,
        help="What usage costs on this plan. A price that has billed stays: change it"
        " by a new version.",
    )

    @api.constrains("company_id")
    def _check_fc_company(self):
        """A plan that a company has prices for does not become another's alone."""
        Charge = self.env["fusion.billing.charge"].sudo()
        Charge.with_context(active_test=False).search(
            [("plan_id", "in", self.ids)]
        )._check_company(["plan_id"])
