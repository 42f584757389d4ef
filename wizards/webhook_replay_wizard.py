from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class FusionBillingWebhookReplayWizard(models.TransientModel):
    """Sends again what a service was told in a time, under the same event ids."""

    _name = "fusion.billing.webhook.replay.wizard"
    _description = "Send Webhooks Again"
    _inherit = ["fusion.billing.guarded"]

    service_id = fields.Many2one(
        "fusion.billing.service", string="Source App", required=True
    )
    date_from = fields.Datetime(
        string="From",
        required=True,
        default=lambda self: fields.Datetime.subtract(fields.Datetime.now(), days=7),
    )
    date_to = fields.Datetime(
        string="Until", required=True, default=fields.Datetime.now
    )
    which = fields.Selection(
        [("undelivered", "Undelivered events only"), ("all", "Everything")],
        string="Events to Send",
        required=True,
        default="undelivered",
    )
    type_ids = fields.Many2many(
        "fusion.billing.webhook.type",
        relation="fusion_billing_webhook_replay_type_rel",  # the usual name is too long
        string="Events",
        help="None chosen: all.",
    )
    event_count = fields.Integer("Number of Events", compute="_compute_event_count")

    @api.depends("service_id", "date_from", "date_to", "which", "type_ids")
    def _compute_event_count(self):
        Webhook = self.env["fusion.billing.webhook"]
        for wizard in self:
            wizard.event_count = Webhook.search_count(wizard._domain())

    def _domain(self):
        self.ensure_one()
        # What has a time for its next attempt is sent anyhow.
        chosen = Domain("state", "=", "dead") | Domain(
            [("state", "=", "pending"), ("next_attempt_at", "=", False)]
        )
        if self.which == "all":
            chosen |= Domain("state", "=", "sent")
        domain = chosen & Domain(
            [
                ("service_id", "=", self.service_id.id),
                ("create_date", ">=", self.date_from),
                ("create_date", "<=", self.date_to),
            ]
        )
        if self.type_ids:
            domain &= Domain("event_type", "in", self.type_ids.mapped("code"))
        return domain

    def action_replay(self):
        self.ensure_one()
        self.service_id.check_access("read")
        webhooks = self.env["fusion.billing.webhook"].search(self._domain())
        if not webhooks:
            raise UserError(
                self.env._("There are no webhook events of that time to send again.")
            )
        webhooks.action_replay()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%s webhook events are being sent.", len(webhooks)
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
