from odoo import models


class AccountMove(models.Model):
    """Invoices of what a cart paid in advance."""

    _inherit = "account.move"

    def _post(self, soft=True):
        """Book on this invoice what is left of the payment of its cart.

        Odoo does so with the first invoice. What is invoiced later, when it is
        delivered, was paid by the same payment.
        """
        posted = super()._post(soft)
        for invoice in posted.filtered(lambda move: move.move_type == "out_invoice"):
            orders = invoice.line_ids.sale_line_ids.order_id.filtered(
                lambda order: order.website_id and order.is_subscription
            )
            payments = (invoice.transaction_ids & orders.transaction_ids).payment_id
            for line in payments.sudo().move_id.line_ids:
                if line.account_type == "asset_receivable" and not line.reconciled:
                    invoice.js_assign_outstanding_line(line.id)
        return posted
