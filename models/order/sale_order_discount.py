from odoo import models


class SaleOrderDiscount(models.TransientModel):
    _inherit = "sale.order.discount"

    def action_apply_discount(self):
        """*On all order lines* means usage, too, whether it has a line yet or not.

        Not where it holds for a time: the discount of usage is a stage of the price of
        the windows that are open, and ends when somebody changes it.
        """
        # The drop-in's question; other modules ask none, and a discount stays.
        recurrence = getattr(self, "recurrence", False) or "always"
        if self.discount_type == "sol_discount" and recurrence == "always":
            self.sale_order_id.fc_usage_discount = self.discount_percentage * 100
        return super().action_apply_discount()

    def _get_lines_discounted_for_a_time(self):
        """Leave usage lines out; the drop-in asks, and nobody else."""
        lines = super()._get_lines_discounted_for_a_time()
        return lines.filtered(lambda line: not line.fc_charge_id)
