from odoo import api, models


class SaleSubscriptionPlan(models.Model):
    _inherit = "sale.subscription.plan"

    @api.constrains("company_id")
    def _check_fc_company(self):
        """A plan that a company has prices for does not become another's alone."""
        Charge = self.env["fusion.billing.charge"].sudo()
        Charge.with_context(active_test=False).search(
            [("plan_id", "in", self.ids)]
        )._check_company(["plan_id"])
