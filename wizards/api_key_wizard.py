from odoo import fields, models


class FusionBillingApiKeyWizard(models.TransientModel):
    """Issues a key and shows it once.

    The key goes to the browser in the action's context and is never stored:
    ``raw_key`` is not a column.
    """

    _name = "fusion.billing.api.key.wizard"
    _description = "New API Key"

    service_id = fields.Many2one("fusion.billing.service", required=True)
    has_api_key = fields.Boolean(related="service_id.has_api_key")
    overlap_hours = fields.Float(
        default=24.0, help="How long the key in use now stays valid beside the new one."
    )
    expires_at = fields.Datetime(
        string="Expires", help="Empty: the new key does not expire by itself."
    )
    raw_key = fields.Char(string="API Key", store=False)

    def action_generate(self):
        self.ensure_one()
        raw_key = self.service_id.action_generate_api_key(
            self.overlap_hours, self.expires_at
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Copy the API Key Now"),
            "res_model": self._name,
            "view_mode": "form",
            "views": [
                (
                    self.env.ref(
                        "fusion_centralized_billing.api_key_wizard_view_form_shown"
                    ).id,
                    "form",
                )
            ],
            "target": "new",
            "context": {
                "default_service_id": self.service_id.id,
                "default_raw_key": raw_key,
            },
        }
