from odoo import api, models
from odoo.fields import Domain


class SaleSubscriptionInvoiceSubscriptions(models.AbstractModel):
    """Of which subscriptions an invoice is, and whether it still counts."""

    _name = "sale.subscription.invoice.subscriptions"
    _description = "Invoices of Subscriptions"

    def _get_subscriptions(self):
        """Return the subscriptions that these invoices, or credit notes, are of.

        The one definition: see `sale.order._get_subscription_invoices`.

        :rtype: sale.order recordset
        """
        return self.invoice_line_ids.subscription_id

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

    @api.model
    def _get_open_invoice_domain(self):
        """Return the domain of the invoices on which something is still to be paid.

        :rtype: Domain
        """
        return Domain(
            [
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("payment_state", "in", ("not_paid", "partial")),
                ("amount_residual", ">", 0),
            ]
        )
