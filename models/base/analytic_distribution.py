from odoo import api, models


class AccountAnalyticDistributionModel(models.Model):
    _inherit = "account.analytic.distribution.model"

    @api.model
    def _get_applicable_models(self, vals):
        """Do not look for one where it is known that there is none at all.

        Odoo looks again for each new line of an order.
        """
        if self.env.context.get("fc_no_distributions"):
            return self.browse()
        return super()._get_applicable_models(vals)
