from odoo import fields, models


class FusionBillingUsageVoidWizard(models.TransientModel):
    """Asks for the reason before usage is taken out of billing.

    The events come in the context: a relation would put a foreign key on the
    usage table, which is kept free of them.
    """

    _name = "fusion.billing.usage.void.wizard"
    _description = "Void Usage"
    _inherit = ["fusion.billing.guarded"]

    reason = fields.Char(required=True)

    def action_void(self):
        events = self.env["fusion.billing.usage"].browse(self.env.context["active_ids"])
        events._void(self.reason)
        return {"type": "ir.actions.act_window_close"}
