from odoo import fields, models
from odoo.exceptions import UserError

from ..models.service.api_key import SCOPES


class FusionBillingApiKeyWizard(models.TransientModel):
    """Issues a key and shows it once.

    The key goes to the browser in the action's context and is never stored:
    ``raw_key`` is not a column.
    """

    _name = "fusion.billing.api.key.wizard"
    _description = "New API Key"
    _inherit = ["fusion.billing.guarded"]

    service_id = fields.Many2one(
        "fusion.billing.service", string="Source App", required=True
    )
    replaced_key_id = fields.Many2one("fusion.billing.api.key", string="Replaces")
    name = fields.Char(string="Used For", help="Where the key is used.")
    scope_usage = fields.Boolean(
        string="Send Usage", default=True, help="Send, void and reconcile usage."
    )
    scope_read = fields.Boolean(
        string="Read", default=True, help="Read customers, usage, prices, invoices."
    )
    scope_manage = fields.Boolean(
        string="Manage",
        default=True,
        help="Create customers and subscriptions, cancel subscriptions, send webhooks "
        "again.",
    )
    overlap_hours = fields.Float(
        "Overlap (Hours)",
        default=24.0,
        help="How long the old key stays valid beside the new one.",
    )
    expires_at = fields.Datetime(
        string="Expires", help="Empty: the new key does not expire by itself."
    )
    raw_key = fields.Char(string="API Key", store=False)

    def action_generate(self):
        self.ensure_one()
        raw_key = self._issue()
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

    def _issue(self):
        if self.expires_at and self.expires_at <= fields.Datetime.now():
            raise UserError(
                self.env._("The expiry date of a new key must be in the future.")
            )
        if self.replaced_key_id:
            return self.replaced_key_id._replace(self.overlap_hours, self.expires_at)[1]
        scopes = [scope for scope, field in SCOPES.items() if self[field]]
        if not scopes:
            raise UserError(self.env._("Choose what the key may be used for."))
        name = self.name or self.env._("Main key")
        Key = self.env["fusion.billing.api.key"]
        return Key._issue(self.service_id, name, scopes, self.expires_at)[1]
