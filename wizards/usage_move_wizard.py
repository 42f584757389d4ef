from odoo import api, fields, models
from odoo.exceptions import UserError


class FusionBillingUsageMoveWizard(models.TransientModel):
    """Asks with which subscription unallocated usage is billed, and why.

    The events come in the context: a relation would put a foreign key on the usage
    table, which is kept free of them.
    """

    _name = "fusion.billing.usage.move.wizard"
    _description = "Bill Unallocated Usage"
    _inherit = ["fusion.billing.guarded"]

    reason = fields.Char(required=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    subscription_id = fields.Many2one("sale.order", required=True)

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        usages = self.env["fusion.billing.usage"].browse(
            self.env.context.get("active_ids", ())
        )
        usages.check_access("read")
        partners = usages.subscription_id.partner_id.commercial_partner_id
        if len(partners) > 1:
            raise UserError(self.env._("Choose usage of one customer at a time."))
        values["partner_id"] = partners.id
        running = usages.subscription_id.filtered(
            lambda o: o.subscription_state == "3_progress" and o.state == "sale"
        )
        if len(usages.subscription_id) == 1:
            values["subscription_id"] = running.id
        return values

    def action_move(self):
        usages = self.env["fusion.billing.usage"].browse(self.env.context["active_ids"])
        usages._move_to(self.subscription_id, self.reason)
        return {"type": "ir.actions.act_window_close"}
