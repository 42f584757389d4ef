from odoo import api, models

from ..calls import calls


class SaleOrderLog(models.Model):
    _inherit = "sale.order.log"

    @api.model
    def _create_mrr_change_log(self, order, initial_values):
        calls["_create_mrr_change_log"] += 1
        row = super()._create_mrr_change_log(order, initial_values)
        if row:
            order.client_order_ref = f"{initial_values['recurring_monthly']:g}"
        return row
