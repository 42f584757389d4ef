from odoo import fields, models


class FusionBillingInvoiceReleaseWizard(models.TransientModel):
    """Asks why an invoice may be posted although its usage was changed by hand."""

    _name = "fusion.billing.invoice.release.wizard"
    _description = "Approval of a Blocked Invoice"
    _inherit = ["fusion.billing.guarded"]

    move_id = fields.Many2one("account.move", string="Invoice", required=True)
    changes = fields.Text(related="move_id.fc_block_reason", string="Changes")
    reason = fields.Text("Reason", required=True)

    def action_release(self):
        self.move_id._fc_release(self.reason)
        return {"type": "ir.actions.act_window_close"}
