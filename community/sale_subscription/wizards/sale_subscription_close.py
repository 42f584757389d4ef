from odoo import fields, models


class SaleSubscriptionClose(models.TransientModel):
    """Asks why a subscription ends, then ends it."""

    _name = "sale.subscription.close"
    _description = "Close Subscription"

    subscription_ids = fields.Many2many("sale.order", required=True)
    close_reason_id = fields.Many2one("sale.order.close.reason", required=True)

    def action_close(self):
        """Close the subscriptions with the chosen reason.

        :return: window action that closes the dialog
        :rtype: dict
        """
        self.ensure_one()
        self.subscription_ids.set_close(self.close_reason_id.id)
        return {"type": "ir.actions.act_window_close"}
