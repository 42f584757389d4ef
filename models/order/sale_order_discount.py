from odoo import models


class SaleOrderDiscount(models.TransientModel):
    _inherit = "sale.order.discount"

    def action_apply_discount(self):
        """*On all order lines* means usage, too, whether it has a line yet or not."""
        if self.discount_type == "sol_discount":
            self.sale_order_id.fc_usage_discount = self.discount_percentage * 100
        return super().action_apply_discount()
