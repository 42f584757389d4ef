from odoo import models

from .sale_order import RUNNING_STATES


class PaymentToken(models.Model):
    _inherit = "payment.token"

    def get_linked_records_info(self):
        """Warn a customer who deletes what running subscriptions are paid with."""
        infos = super().get_linked_records_info()
        orders = (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("payment_token_id", "=", self.id),
                    ("subscription_state", "in", RUNNING_STATES),
                ]
            )
        )
        return infos + [
            {
                "description": self.env._("Subscription"),
                "id": order.id,
                "name": order.name,
                "url": order.get_portal_url(),
            }
            for order in orders
        ]
