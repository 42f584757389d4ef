from odoo import api, fields, models

from ..base import groups


class SaleSubscriptionPlan(models.Model):
    _inherit = "sale.subscription.plan"

    fc_charge_ids = fields.One2many(
        "fusion.billing.charge",
        "plan_id",
        string="Usage Prices",
        groups=groups.USER,
        help="The usage prices of this plan. A price that has billed usage cannot be "
        "changed: create a new version of it.",
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "company_id" in fields_list and not values.get("company_id"):
            company = self.env.user._fc_default_company(self._name)
            if company:
                values["company_id"] = company.id
        return values

    @api.constrains("company_id")
    def _check_fc_company(self):
        """A plan that a company has prices for does not become another's alone."""
        Charge = self.env["fusion.billing.charge"].sudo()
        Charge.with_context(active_test=False).search(
            [("plan_id", "in", self.ids)]
        )._check_company(["plan_id"])
