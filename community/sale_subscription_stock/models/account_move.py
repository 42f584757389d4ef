from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _invoice_paid_hook(self):
        """Deliver what was withheld because these were not paid."""
        result = super()._invoice_paid_hook()
        self.sudo().invoice_line_ids.subscription_id._deliver_what_was_withheld()
        return result
