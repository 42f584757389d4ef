from odoo import api, fields, models


class SaleSubscriptionChangePlan(models.TransientModel):
    """Asks for the new plan of subscriptions and from when on, then changes it."""

    _name = "sale.subscription.change.plan"
    _description = "Change Plan of Subscription"
    _inherit = ["sale.subscription.guarded"]

    subscription_ids = fields.Many2many("sale.order", required=True)
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", readonly=True
    )
    plan_id = fields.Many2one(
        "sale.subscription.plan", string="New Plan", required=True, check_company=True
    )
    timing = fields.Selection(
        [
            ("next_period", "From the next invoice on"),
            ("now", "Today: credit the unused days and begin a new period"),
        ],
        string="Takes Effect",
        required=True,
        default="next_period",
    )

    @api.depends("subscription_ids")
    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = wizard.subscription_ids.company_id[:1]

    def action_change_plan(self):
        """Change the plan of the subscriptions.

        :return: window action that closes the dialog
        :rtype: dict
        """
        self.ensure_one()
        self.subscription_ids.change_plan(self.plan_id, self.timing)
        return {"type": "ir.actions.act_window_close"}
