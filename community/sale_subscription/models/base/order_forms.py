from odoo import models


class SaleSubscriptionOrderForms(models.AbstractModel):
    """Windows that the buttons of an order open."""

    _name = "sale.subscription.order.forms"
    _description = "Forms of Subscriptions"

    def _open_order(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "view_mode": "form",
            "views": [(self.env.ref("sale.view_order_form").id, "form")],
            "res_id": self.id,
        }

    def _open_order_for_seller(self):
        """Open the order, for people who come to it from a report.

        :return: window action; False for those who may not read orders
        :rtype: dict | bool
        """
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            return False
        return self._open_order()

    def _open_wizard(self, model, title):
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {"default_subscription_ids": self.ids},
        }
