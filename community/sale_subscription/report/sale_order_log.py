from odoo import models


class SaleOrderLog(models.Model):
    _inherit = "sale.order.log"

    def action_open_order(self):
        """Open the subscription of a movement.

        :return: window action; False for those who read the log but not the orders
        :rtype: dict | bool
        """
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            return False
        return self.order_id._open_order()
