from odoo import api, fields, models


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = [
        "sale.subscription.invoice.payment",
        "sale.subscription.invoice.origin",
        "sale.subscription.invoice.sending",
        "sale.subscription.invoice.subscriptions",
        "account.move",
    ]

    subscription_period_ids = fields.One2many("sale.subscription.period", "move_id")

    subscription_count = fields.Integer(
        string="Subscriptions", compute="_compute_subscription_count"
    )

    @api.depends("invoice_line_ids.subscription_id")
    def _compute_subscription_count(self):
        for move in self:
            move.subscription_count = len(move._get_subscriptions())

    def _post(self, soft=True):
        """Advance the subscriptions whose period these invoices cover."""
        posted = super()._post(soft)
        posted.sudo().subscription_period_ids._advance_subscriptions()
        return posted

    def _invoice_paid_hook(self):
        """Reopen what was closed for being unpaid; forget failed charges of it."""
        result = super()._invoice_paid_hook()
        self.sudo()._get_subscriptions()._reopen_when_paid()
        self.sudo()._get_paying_subscriptions()._clear_settled_payment_exceptions()
        return result

    def button_cancel(self):
        """Make the period due again when its invoice was never posted.

        Once posted, the dates have moved on and stay: what a cancelled invoice should
        be replaced by is a decision of whoever cancelled it.
        """
        result = super().button_cancel()
        self.sudo().subscription_period_ids._release()
        return result

    def button_draft(self):
        """Take the period again that cancelling had released."""
        result = super().button_draft()
        self.sudo().subscription_period_ids._claim_again()
        return result

    def unlink(self):
        """Give the periods back through the ORM.

        The foreign key would do it too, but then `qty_to_invoice` would not be
        computed again.
        """
        if self:
            self.check_access("unlink")
            self.sudo().subscription_period_ids.unlink()
        return super().unlink()

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
