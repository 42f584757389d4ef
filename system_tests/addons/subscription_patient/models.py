from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _is_switched_on(self, name):
        parameters = self.env["ir.config_parameter"].sudo()
        return parameters.get_param(f"subscription_patient.{name}") == "True"

    def _handle_unpaid_subscriptions(self):
        if self._is_switched_on("unpaid"):
            return {}
        return super()._handle_unpaid_subscriptions()

    def _get_expired_subscriptions(self):
        if self._is_switched_on("expired"):
            return []
        return super()._get_expired_subscriptions()
