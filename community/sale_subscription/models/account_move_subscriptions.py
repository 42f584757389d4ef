from odoo import api, fields, models


class AccountMove(models.Model):
    """From an invoice to the subscriptions it bills."""

    _inherit = "account.move"

    subscription_count = fields.Integer(
        string="Subscriptions", compute="_compute_subscription_count"
    )

    @api.depends("invoice_line_ids.subscription_id")
    def _compute_subscription_count(self):
        for move in self:
            move.subscription_count = len(move._get_subscriptions())

    def action_open_subscriptions(self):
        """Open the subscriptions this invoice bills.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        subscriptions = self._get_subscriptions()
        if len(subscriptions) == 1:
            return subscriptions._open_order()
        return {
            **self.env["ir.actions.actions"]._for_xml_id(
                "sale_subscription.sale_subscription_action"
            ),
            "domain": [("id", "in", subscriptions.ids)],
            "context": {"create": False},
        }
