from odoo import fields, models


class FusionBillingWebhookType(models.Model):
    """A kind of webhook event; the list is data/webhook_types.xml."""

    _name = "fusion.billing.webhook.type"
    _description = "Webhook Event Type"
    _inherit = ["fusion.billing.guarded"]
    _order = "sequence, id"
    _rec_name = "code"

    code = fields.Char(required=True, readonly=True)
    description = fields.Char(required=True, readonly=True, translate=True)
    sequence = fields.Integer(readonly=True)

    _code_unique = models.Constraint(
        "UNIQUE (code)", "The code of a webhook event type must be unique."
    )
