from odoo import fields, models


class FusionBillingWebhookSecretWizard(models.TransientModel):
    """Makes a webhook secret and shows it once, or takes one that the app has.

    The secret goes to the browser in the action's context and is never stored in
    clear: ``secret`` is not a column.
    """

    _name = "fusion.billing.webhook.secret.wizard"
    _description = "New Webhook Secret"
    _inherit = ["fusion.billing.guarded"]

    service_id = fields.Many2one(
        "fusion.billing.service", string="Source App", required=True
    )
    overlap_hours = fields.Float(
        "Overlap (Hours)",
        default=24.0,
        help="How long the old secret signs beside the new one.",
    )
    own_secret = fields.Char(
        compute="_compute_own_secret",
        inverse="_inverse_own_secret",
        help="Leave empty to generate one.",
    )
    own_secret_encrypted = fields.Char(
        groups="base.group_system", readonly=True, exportable=False
    )
    secret = fields.Char(string="Webhook Secret", store=False)

    def _compute_own_secret(self):
        self.own_secret = False

    def _inverse_own_secret(self):
        for wizard in self:
            endpoint = wizard.service_id.webhook_endpoint_id
            wizard.sudo().own_secret_encrypted = endpoint._encrypt_webhook_secret(
                wizard.own_secret
            )

    def action_generate(self):
        self.ensure_one()
        self.service_id.check_access("write")
        made = self.service_id._replace_webhook_secret(
            self.overlap_hours, self.sudo().own_secret_encrypted
        )
        if not made:
            return {"type": "ir.actions.act_window_close"}
        shown = "fusion_centralized_billing.webhook_secret_wizard_view_form_shown"
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Copy the Webhook Secret Now"),
            "res_model": self._name,
            "view_mode": "form",
            "views": [(self.env.ref(shown).id, "form")],
            "target": "new",
            "context": {
                "default_service_id": self.service_id.id,
                "default_secret": made,
            },
        }
