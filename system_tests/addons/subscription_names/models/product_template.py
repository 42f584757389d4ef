from odoo import models

from ..calls import calls


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def _get_recurring_pricing(
        self, pricelist, variant=None, plan_id=None, quantity=1.0
    ):
        calls["_get_recurring_pricing"] += 1
        return super()._get_recurring_pricing(
            pricelist, variant=variant, plan_id=plan_id, quantity=quantity
        )
