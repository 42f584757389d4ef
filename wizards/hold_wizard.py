from odoo import fields, models


class FusionBillingHoldWizard(models.TransientModel):
    """Asks why an invoice may be posted although its totals differ."""

    _name = "fusion.billing.hold.wizard"
    _description = "Decision on a Held Invoice"
    _inherit = ["fusion.billing.guarded"]

    hold_id = fields.Many2one(
        "fusion.billing.hold", string="Invoice", required=True, ondelete="cascade"
    )
    reason = fields.Text(
        related="hold_id.reason", string="What Differs", related_sudo=False
    )
    note = fields.Char(string="Decision", required=True)

    def action_decide(self):
        self.ensure_one()
        self.hold_id._decide(self.note)
        return {"type": "ir.actions.act_window_close"}
