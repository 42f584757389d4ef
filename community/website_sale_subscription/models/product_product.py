from odoo import models


class ProductProduct(models.Model):
    """Variants of subscription products in the web shop."""

    _inherit = "product.product"

    def _website_show_quick_add(self):
        template = self.product_tmpl_id
        return (
            super()._website_show_quick_add() and not template._is_plan_choice_needed()
        )

    def _to_markup_data(self, website):
        """Tell search engines the price that the page shows."""
        data = super()._to_markup_data(website)
        if self.recurring_invoice:
            data["offers"]["price"] = self._get_combination_info_variant()["price"]
        return data
