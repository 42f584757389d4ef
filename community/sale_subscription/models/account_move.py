from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    subscription_period_ids = fields.One2many("sale.subscription.period", "move_id")

    def _post(self, soft=True):
        """Advance the subscriptions whose period these invoices cover."""
        posted = super()._post(soft)
        posted.sudo().subscription_period_ids._advance_subscriptions()
        return posted

    def _invoice_paid_hook(self):
        """Reopen what was closed because these were unpaid."""
        result = super()._invoice_paid_hook()
        self.sudo()._get_subscriptions()._reopen_when_paid()
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
        self.check_access("unlink")
        self.sudo().subscription_period_ids.unlink()
        return super().unlink()

    def _get_subscriptions(self):
        """Return the subscriptions that these invoices, or credit notes, are of.

        The one definition: see `sale.order._get_subscription_invoices`.

        :rtype: sale.order recordset
        """
        return self.invoice_line_ids.subscription_id

    def _get_mail_template(self):
        """Return the template of the plan, for the invoice of a subscription."""
        if all(move.move_type == "out_invoice" for move in self):
            plans = self.sudo()._get_subscriptions().plan_id
            if template := plans.invoice_mail_template_id[:1]:
                return template
        return super()._get_mail_template()

    def _is_taken_back(self):
        """Tell whether credit notes have taken the whole invoice back.

        :rtype: bool
        """
        self.ensure_one()
        credits = self.reversal_move_ids.filtered(lambda m: m.state == "posted")
        taken_back = sum(credits.mapped("amount_total"))
        return bool(credits) and (
            self.currency_id.compare_amounts(taken_back, self.amount_total) >= 0
        )
