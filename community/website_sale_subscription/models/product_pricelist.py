from odoo import models


class ProductPricelist(models.Model):
    """Prices on a plan where Odoo's shop asks for a price in its own words.

    The shop's pages cannot pass a plan. They pass their context on to the pricelist,
    and ``shop_price_plan_id`` there does the same.
    """

    _inherit = "product.pricelist"

    def _compute_price_rule(self, products, *args, plan_id=None, **kwargs):
        plan_id = plan_id or self.env.context.get("shop_price_plan_id")
        return super()._compute_price_rule(products, *args, plan_id=plan_id, **kwargs)
