from odoo import models

from ..calls import calls


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        if self.env.context.get("recurring_automatic"):
            calls["recurring_automatic in _post"] += 1
        return super()._post(soft)
