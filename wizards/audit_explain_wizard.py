from odoo import fields, models


class FusionBillingAuditExplainWizard(models.TransientModel):
    """Asks why a finding may stay as it is."""

    _name = "fusion.billing.audit.explain.wizard"
    _description = "Explain Findings"
    _inherit = ["fusion.billing.guarded"]

    finding_ids = fields.Many2many(
        "fusion.billing.audit.finding",
        "fusion_billing_audit_explained",
        "wizard_id",
        "finding_id",
        string="Findings",
        required=True,
    )
    reason = fields.Text(required=True)

    def action_explain(self):
        self.finding_ids._explain(self.reason)
        return {"type": "ir.actions.act_window_close"}
