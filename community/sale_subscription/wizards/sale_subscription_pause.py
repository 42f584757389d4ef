from odoo import fields, models


class SaleSubscriptionPause(models.TransientModel):
    """Asks until when a subscription is paused, then pauses it."""

    _name = "sale.subscription.pause"
    _description = "Pause Subscription"

    subscription_ids = fields.Many2many("sale.order", required=True)
    resume_date = fields.Date(
        string="Resume On",
        help="The day on which it resumes automatically. Empty: until you resume it.",
    )

    def action_pause(self):
        """Pause the subscriptions until the chosen day.

        :return: window action that closes the dialog
        :rtype: dict
        """
        self.ensure_one()
        self.subscription_ids.pause_subscription(self.resume_date)
        return {"type": "ir.actions.act_window_close"}
