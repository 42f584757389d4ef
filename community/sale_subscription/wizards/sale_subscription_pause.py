from odoo import fields, models


class SaleSubscriptionPause(models.TransientModel):
    """Asks from when and until when a subscription is paused, then pauses it."""

    _name = "sale.subscription.pause"
    _description = "Pause Subscription"

    subscription_ids = fields.Many2many("sale.order", required=True)
    pause_date = fields.Date(
        string="Pause On",
        help="The day on which it pauses automatically. Empty: today.",
    )
    resume_date = fields.Date(
        string="Resume On",
        help="The day on which it resumes automatically. Empty: until you resume it.",
    )

    def action_pause(self):
        """Pause the subscriptions from one chosen day until the other.

        :return: window action that closes the dialog
        :rtype: dict
        """
        self.ensure_one()
        self.subscription_ids.pause_subscription(self.resume_date, self.pause_date)
        return {"type": "ir.actions.act_window_close"}
