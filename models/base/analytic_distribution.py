from odoo import api, models


class AccountAnalyticDistributionModel(models.Model):
    _inherit = "account.analytic.distribution.model"

    @api.model
    def _fc_context(self):
        """What to add to the context before many lines are made (dict)."""
        return {"fc_no_distributions": not self.sudo().search([], limit=1)}

    @api.model
    def _get_applicable_models(self, vals):
        """Do not look for one where it is known that there is none at all.

        Odoo looks again for each new line of an order or invoice.
        """
        if self.env.context.get("fc_no_distributions"):
            return self.browse()
        return super()._get_applicable_models(vals)
