from odoo import api, models


class SaleSubscriptionGuarded(models.AbstractModel):
    _inherit = "sale.subscription.guarded"

    @api.model
    def _subscription_is_code_field(self, field):
        """What was procured is noted by code, too."""
        if field.name in ("procured_until", "procured_quantity"):
            return True
        return super()._subscription_is_code_field(field)
