from odoo import api, fields, models

from .usage_choice import USAGE_CHOICES, usage_choice_values


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    fc_credits_usage = fields.Boolean(
        "Credits Usage", compute="_compute_fc_credits_usage"
    )
    fc_usage_choice = fields.Selection(
        USAGE_CHOICES,
        string="Usage",
        default="forgive",
        required=True,
        help="What happens to usage that is credited in full. Usage that is credited "
        "in part is forgiven in any case. A corrected invoice bills it in place of "
        "the credited one. You can change this on the credit note until it is "
        "posted.",
    )

    @api.depends("move_ids")
    def _compute_fc_credits_usage(self):
        for wizard in self:
            lines = wizard.move_ids.sudo().invoice_line_ids
            wizard.fc_credits_usage = bool(lines.fc_rating_ids)

    def _prepare_default_reversal(self, move):
        values = super()._prepare_default_reversal(move)
        return values | usage_choice_values(self.fc_usage_choice)

    def reverse_moves(self, is_modify=False):
        """The corrected invoice bills what the credited one did: that is given back."""
        if is_modify and self.fc_usage_choice == "forgive":
            self.fc_usage_choice = "again_today"
        return super().reverse_moves(is_modify)
