from odoo import api, models
from odoo.fields import Domain

from .payment_transaction import SILENT_PROVIDERS


class SaleSubscriptionInvoicePayment(models.AbstractModel):
    """Invoices as what a subscription owes."""

    _name = "sale.subscription.invoice.payment"
    _description = "Payment of Recurring Invoices"

    @api.model
    def _get_chargeable_domain(self):
        """Return the domain of the open invoices that are not being paid already.

        What waits for its provider for days must not take up the time of every run.

        :rtype: Domain
        """
        waiting = Domain(
            [
                ("state", "in", ("pending", "authorized")),
                ("provider_id.code", "not in", SILENT_PROVIDERS),
            ]
        )
        excluded = Domain(
            [("account_type", "=", "asset_receivable"), ("no_followup", "=", True)]
        )
        return (
            self._get_open_invoice_domain()
            & Domain("transaction_ids", "not any", waiting)
            & Domain("line_ids", "not any", excluded)
        )

    def _get_paying_orders(self):
        """Return whose payment methods count for these invoices.

        :rtype: sale.order recordset
        """
        orders = self._get_subscriptions() | self.line_ids.sale_line_ids.order_id
        return orders._get_paying_orders()

    def _get_paying_subscriptions(self):
        """Return the subscriptions that these invoices are for.

        :rtype: sale.order recordset
        """
        return self._get_paying_orders().filtered("is_subscription")

    def _get_booked_payments(self):
        """Return the payments that are reconciled with these invoices.

        :rtype: account.payment recordset
        """
        lines = self.line_ids.matched_credit_ids.credit_move_id
        return lines.move_id.origin_payment_id
