from odoo import api, models


class SaleSubscriptionDiscount(models.AbstractModel):
    _inherit = "sale.subscription.discount"

    @api.model
    def _prepare_further_line(self, line):
        """The points of a reward are on one of its lines only."""
        return {**super()._prepare_further_line(line), "points_cost": 0}
