from datetime import timedelta

from odoo import fields, models
from odoo.tools import format_datetime

from ..base.states import RUNNING_STATES

# The request of a charge ends within minutes; Odoo books what is confirmed every ten.
OUTCOME_AFTER = timedelta(hours=1)
# Their transactions stay pending for good: nobody reports what became of them.
SILENT_PROVIDERS = ("none", "custom")


class PaymentTransaction(models.Model):
    """What the transactions of a recurring invoice mean for charging it."""

    _inherit = "payment.transaction"

    # === STATE ===

    def _is_outcome_unknown(self):
        """Tell whether nothing here can say if the money was, or will be, taken.

        :rtype: bool
        """
        self.ensure_one()
        if self.state == "pending":
            return self.provider_code in SILENT_PROVIDERS
        return self.state == "draft"

    def _is_outcome_overdue(self):
        """Tell whether the state is too old to be that of something going on.

        :rtype: bool
        """
        self.ensure_one()
        limit = fields.Datetime.now() - OUTCOME_AFTER
        return not self.last_state_change or self.last_state_change <= limit

    def _is_booked_on(self, invoice):
        """Tell whether the money of a confirmed transaction is settled on an invoice.

        :param invoice: account.move
        :rtype: bool
        """
        self.ensure_one()
        payments = (self | self.child_transaction_ids).payment_id
        return bool(
            payments & invoice._get_booked_payments()
            and all(payment.is_reconciled for payment in payments)
        )

    def _get_unknown_outcome_text(self):
        self.ensure_one()
        return self.env._(
            "It is not known whether the payment %(transaction)s of %(date)s went "
            "through. Check it at %(provider)s. If it did, register the payment; "
            "if not, clear this problem.",
            transaction=self.reference,
            date=format_datetime(self.env, self.last_state_change),
            provider=self.provider_id.name,
        )

    def _get_unbooked_text(self):
        self.ensure_one()
        return self.env._(
            "The payment %(transaction)s was received, but is not reconciled with "
            "its invoice. Reconcile it, or register what happened to it.",
            transaction=self.reference,
        )

    # === HOOKS ===

    def _post_process(self):
        """Tell the subscriptions what became of their charges, whenever it comes.

        Called once for every state, by whoever sent the charge or by Odoo's job.
        """
        new = self.filtered(lambda tx: not tx.is_post_processed)
        new._note_failed_charges()
        new._offer_saved_tokens()
        return super()._post_process()

    def _note_failed_charges(self):
        labels = dict(self._fields["state"]._description_selection(self.env))
        failed = self.filtered(
            lambda tx: tx.operation == "offline" and tx.state in ("error", "cancel")
        )
        for transaction in failed:
            reason = transaction.state_message or labels[transaction.state]
            for invoice in transaction.invoice_ids:
                orders = invoice._get_paying_subscriptions().filtered(
                    lambda o, tx=transaction, i=invoice: (
                        o.payment_token_id == tx.token_id
                        and i in o._get_open_invoices()
                    )
                )
                for order in orders:
                    order._record_charge_failure(invoice, reason)
                    order._tell_payment_failed(invoice)

    def _offer_saved_tokens(self):
        """Let subscriptions be paid with what their customer has just saved."""
        saved = self.filtered(
            lambda tx: (
                tx.state == "done"
                and tx.token_id
                and tx.operation in ("online_direct", "online_redirect", "validation")
            )
        )
        for transaction in saved:
            if transaction.operation == "validation":
                # Saved without paying anything: for whatever it can mend.
                transaction._search_troubled()._offer_payment_token(
                    transaction.token_id
                )
                continue
            orders = transaction.sale_order_ids | (
                transaction.invoice_ids._get_paying_subscriptions()
            )
            subscriptions = orders._get_paying_orders().filtered("is_subscription")
            subscriptions._offer_payment_token(transaction.token_id)

    def _search_troubled(self):
        """Return the customer's subscriptions whose payment method is to be replaced.

        :rtype: sale.order recordset
        """
        owner = self.partner_id.commercial_partner_id
        orders = (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("is_subscription", "=", True),
                    ("state", "=", "sale"),
                    ("subscription_state", "in", RUNNING_STATES),
                    ("payment_token_id.partner_id", "child_of", owner.ids),
                    ("payment_token_id.active", "in", (True, False)),
                ]
            )
        )
        return orders.filtered("payment_token_id")
