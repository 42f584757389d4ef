from odoo import fields, models

from ..base.states import RUNNING_STATES
from ..notice.sale_subscription_notice import EXPIRY_NOTICE


class PaymentToken(models.Model):
    _inherit = "payment.token"

    expiry_date = fields.Date(
        string="Valid Until",
        help="The last day on which it can be charged. Odoo's payment providers do not "
        "fill it in: enter it, or have a module of the provider do so. Customers "
        "get an email 30 days before.",
    )

    def _expires_soon(self):
        """Tell whether its owner is told by now that it expires, or it has expired.

        :rtype: bool
        """
        self.ensure_one()
        limit = fields.Date.today() + EXPIRY_NOTICE
        return bool(self.expiry_date and self.expiry_date <= limit)

    def get_linked_records_info(self):
        """Warn a customer who deletes what running subscriptions are paid with.

        Only of those that the customer may read, and without their tokens: whoever
        has one of these acts as the customer of that order.
        """
        self.check_access("read")
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
            .sudo(self.env.su)
            ._filtered_access("read")
        )
        return infos + [
            {
                "description": self.env._("Subscription"),
                "id": order.id,
                "name": order.name,
                "url": order.access_url,
            }
            for order in orders
        ]
