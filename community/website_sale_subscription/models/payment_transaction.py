from odoo import api, models

ONLINE_OPERATIONS = ("online_direct", "online_redirect", "online_token")


class PaymentTransaction(models.Model):
    """The payment of a subscription's cart: its first period, and the token."""

    _inherit = "payment.transaction"

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse what a cart is not paid with, by whichever route it comes.

        Before anything is sent to the provider; what is paid is not refused any more.
        """
        transactions = super().create(vals_list)
        for transaction in transactions:
            if transaction.operation in ONLINE_OPERATIONS:
                for order in transaction.sale_order_ids:
                    order._check_payment_is_saved(transaction)
        return transactions

    def _get_shop_subscriptions(self):
        """Return the subscriptions from the shop that these payments are for.

        :rtype: sale.order
        """
        return self.sale_order_ids.filtered(
            lambda order: order.website_id and order.is_subscription
        )

    def _offer_saved_tokens(self):
        """Charge the next periods to the token a cart was paid with, new or not.

        The payment page of the shop says so. Elsewhere paying with a saved token once
        is no consent to its being charged again.
        """
        result = super()._offer_saved_tokens()
        for transaction in self:
            if transaction.state == "done" and transaction.operation == "online_token":
                orders = transaction._get_shop_subscriptions()
                orders._offer_payment_token(transaction.token_id)
        return result

    def _check_amount_and_confirm_order(self):
        """Invoice the first period at once, so that this payment is booked on it.

        Errors are noted on the subscription; the daily run tries it again, and Odoo
        books the payment on the invoice then.
        """
        confirmed = super()._check_amount_and_confirm_order()
        for transaction in self.filtered(lambda tx: tx.state == "done"):
            orders = transaction._get_shop_subscriptions().filtered(
                lambda order: order.state == "sale" and order._is_paid()
            )
            # Also where a scheduled action processes the payment: it must not be
            # committed in the middle of that.
            orders.with_context(ir_cron_progress_id=False)._invoice_first_period()
        return confirmed

    def _invoice_sale_orders(self):
        """Keep the first period's invoice, which Odoo takes for one of another payment.

        Without its payment it would be charged again.
        """
        invoices = {tx: tx.invoice_ids for tx in self if tx._get_shop_subscriptions()}
        result = super()._invoice_sale_orders()
        for transaction, first in invoices.items():
            transaction.invoice_ids |= first
        return result
