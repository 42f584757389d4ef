from odoo import api, fields, models


class FusionBillingHoldWizard(models.TransientModel):
    """Asks why invoices may be posted although something differs."""

    _name = "fusion.billing.hold.wizard"
    _description = "Decision on Held Invoices"
    _inherit = ["fusion.billing.guarded"]

    hold_ids = fields.Many2many(
        "fusion.billing.hold",
        string="Reasons",
        required=True,
        help="The decision is about these. Take off what is not decided yet.",
    )
    to_mend = fields.Text(
        "To Correct",
        compute="_compute_to_mend",
        help="Reasons of the same invoices that nobody can allow.",
    )
    note = fields.Text(string="Decision", required=True)

    @api.depends("hold_ids")
    def _compute_to_mend(self):
        Hold = self.env["fusion.billing.hold"]
        for wizard in self:
            moves = wizard.hold_ids.sudo().move_id
            faults = Hold.search(
                [
                    ("move_id", "in", moves.ids),
                    ("kind", "=", "fault"),
                    ("state", "=", "held"),
                ]
            )
            wizard.to_mend = "\n".join(faults.mapped("reason"))

    def action_decide(self):
        self.ensure_one()
        self.hold_ids._decide(self.note)
        return {"type": "ir.actions.act_window_close"}
