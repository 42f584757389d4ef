"""Charging the recurring invoices of subscriptions to saved payment methods.

Money that was taken is not given back by a rollback. So an invoice is posted and
committed first, and charged afterwards, in three transactions of their own:

1. lock the subscription, look again, create a payment.transaction in draft; commit
2. send it to the provider, write down its answer; commit
3. book the payment (Odoo's post-processing); commit

Whoever comes second in step 1 finds the lock taken, or the row of the subscription
changed (`payment_attempt_date`), or the draft. A process that is killed leaves a draft,
of which nobody here can know whether it was sent. Hence:

=============================================  =========================================
transactions of an open invoice                what the sweep does
=============================================  =========================================
none; failed or cancelled only                 charges what is open
draft, for less than an hour                   nothing: somebody is at it
draft, for longer                              asks a person to look at the provider
pending, authorized                            nothing: the provider will tell
pending, of a provider that tells nothing      as draft (bank transfer announced)
confirmed, and booked on the invoice           charges what is still open
confirmed, not booked, for less than an hour   nothing: Odoo's job will book it
confirmed, not booked, for longer              asks a person; never charges again
=============================================  =========================================

A failed charge is repeated after `RETRY_DAYS`. What a person is asked is not: the
answer is a payment, another token, or the button "Clear". The invoices of a
subscription are charged oldest first; the first failure ends its turn.

Not charged: invoices of closed subscriptions (6_churn), credit notes, invoices that are
blocked or excluded from follow-ups.
"""

import logging

from psycopg2 import IntegrityError, OperationalError

from odoo import api, fields, models, modules
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

_logger = logging.getLogger(__name__)

# A paused or renewed subscription still owes what was invoiced before.
CHARGED_STATES = ("3_progress", "4_paused", "5_renewed")


class SaleSubscriptionOrderCharge(models.AbstractModel):
    _name = "sale.subscription.order.charge"
    _description = "Charging of Subscriptions"

    # === WHAT IS CHARGED ===

    @api.model
    def _get_charge_domain(self):
        """Return the domain of the subscriptions that have something to charge today.

        :rtype: Domain
        """
        chargeable = self.env["account.move"]._get_chargeable_domain()
        return (
            Domain(
                [
                    ("payment_token_id", "!=", False),
                    ("state", "=", "sale"),
                    ("subscription_state", "in", CHARGED_STATES),
                ]
            )
            & (
                Domain("payment_exception", "=", False)
                | Domain("payment_retry_date", "<=", fields.Date.today())
            )
            & self._get_invoiced_domain(chargeable)
        )

    def _is_charge_due(self):
        """Tell whether the scheduled action may charge this subscription today.

        :rtype: bool
        """
        self.ensure_one()
        retry_date = self.payment_retry_date
        return bool(
            self.payment_token_id
            and self.state == "sale"
            and self.subscription_state in CHARGED_STATES
            and (
                not self.payment_exception
                or (retry_date and retry_date <= fields.Date.today())
            )
        )

    # === SWEEP ===

    @api.model
    def _cron_charge_subscriptions(self):
        """Charge the open invoices of all subscriptions that have a token.

        Commits after every step, but in tests: see the top of this file.
        """
        cron = self.env["ir.cron"]
        progress_id = self.env.context.get("ir_cron_progress_id")
        flagged = self.search([("payment_exception", "=", True)])
        settled = flagged.filtered(lambda o: not o._get_open_invoices())
        order_ids = (settled | self.search(self._get_charge_domain(), order="id")).ids
        if progress_id and order_ids:
            # Beside what invoicing has left: with nothing remaining, the next run
            # would be tomorrow's.
            left = self.env["ir.cron.progress"].sudo().browse(progress_id).remaining
            cron._commit_progress(remaining=left + len(order_ids))
        for order_id in order_ids:
            try:
                self.browse(order_id)._charge_open_invoices()
            except OperationalError:
                if not self._commits_charges():
                    raise
                # Somebody else changed it just now. A charge that was begun is found
                # by the next run.
                self.env.cr.rollback()
                _logger.info("Charging of subscription %s put off", order_id)
            if progress_id and not cron._commit_progress(1):
                return

    def _charge_open_invoices(self, by_hand=False):
        """Charge the open invoices of one subscription, until one is not paid.

        :param bool by_hand: a person wants it: whatever failed before, and with errors
            raised instead of recorded
        :return: the charges made
        :rtype: payment.transaction recordset
        :raises UserError: by hand, when nothing can be charged
        """
        self.ensure_one()
        order = self.with_company(self.company_id)
        transactions = self.env["payment.transaction"]
        order._commit_charge()  # what is looked at under the lock must be fresh
        while True:
            try:
                transaction = order._begin_charge(by_hand)
            except UserError:
                if not transactions:
                    raise
                return transactions
            order._commit_charge()
            if not transaction:
                return transactions
            transactions |= transaction
            order._send_charge(transaction)
            order._commit_charge()
            order._finish_charge(transaction)
            order._commit_charge()
            if transaction.state != "done":
                return transactions

    def _commits_charges(self):
        """Tell whether the steps of a charge are committed.

        Always, but in a test that keeps all in one transaction.

        :rtype: bool
        """
        in_cron = self.env.context.get("ir_cron_progress_id")
        return bool(in_cron or not modules.module.current_test)

    def _commit_charge(self):
        if self.env.context.get("ir_cron_progress_id"):
            self.env["ir.cron"]._commit_progress()
        elif self._commits_charges():
            # What was charged cannot be taken back with the transaction.
            self.env.cr.commit()  # pylint: disable=invalid-commit

    # === ONE CHARGE ===

    def _begin_charge(self, by_hand):
        """Create the transaction for the oldest invoice that can be charged.

        :rtype: payment.transaction, empty when there is none
        """
        self.ensure_one()
        nothing = self.env["payment.transaction"].sudo()
        order = self.try_lock_for_update(allow_referencing=True)
        order._clear_settled_payment_exceptions()
        if not order or not (by_hand or order._is_charge_due()):
            return nothing
        obstacles = []
        for invoice in order._get_open_invoices():
            if invoice.no_followup and not by_hand:
                continue
            obstacle = order._get_charge_obstacle(invoice)
            if not obstacle:
                return order._create_charge(invoice, by_hand)
            obstacles.append(obstacle.text)
            if obstacle.wait:
                continue
            if not by_hand:
                order._record_obstacle(invoice, obstacle)
            break
        if by_hand:
            raise UserError(
                "\n".join(obstacles)
                or self.env._("%s has no unpaid invoice to charge.", self.name)
            )
        return nothing

    def _record_obstacle(self, invoice, obstacle):
        if obstacle.ask:
            self._record_charge_doubt(obstacle.text)
        else:
            self._record_charge_failure(invoice, obstacle.text)
            if not self.payment_token_id.active:
                self._tell_payment_failed(invoice)

    def _create_charge(self, invoice, by_hand):
        transactions = self.env["payment.transaction"].sudo()
        # An invoice of several subscriptions: none of them may charge it meanwhile.
        orders = invoice._get_paying_subscriptions()
        if len(orders.try_lock_for_update(allow_referencing=True)) < len(orders):
            return transactions
        try:
            with self.env.cr.savepoint():
                # Changes the rows: a worker whose snapshot is older fails on its lock.
                orders.sudo().payment_attempt_date = fields.Datetime.now()
                return transactions.create(self._prepare_charge_values(invoice))
        except OperationalError:
            raise
        except IntegrityError:
            # The reference is taken: somebody has begun to pay this invoice just now.
            _logger.info("Charging of invoice %s put off", invoice.id)
        except Exception as error:
            if by_hand:
                raise
            _logger.exception("Invoice %s could not be charged", invoice.id)
            self._record_charge_failure(invoice, str(error) or type(error).__name__)
        return transactions

    def _prepare_charge_values(self, invoice):
        """Return the values of the transaction that charges an invoice.

        :param invoice: account.move
        :rtype: dict
        """
        self.ensure_one()
        token = self.payment_token_id
        return {
            "provider_id": token.provider_id.id,
            "payment_method_id": token.payment_method_id.id,
            "token_id": token.id,
            "operation": "offline",
            "amount": invoice.amount_residual,
            "currency_id": invoice.currency_id.id,
            "partner_id": invoice.partner_id.id,
            "invoice_ids": [Command.set(invoice.ids)],
            # There is nothing to process before the provider has answered; Odoo's job
            # would get in the way of writing that down.
            "is_post_processed": True,
        }

    def _send_charge(self, transaction):
        """Send a charge to the provider. Nobody but who created it does."""
        locked = transaction.try_lock_for_update(allow_referencing=True)
        if locked.state != "draft":
            return
        try:
            with self.env.cr.savepoint():
                locked.with_context(payment_backend_action=True)._charge_with_token()
        except OperationalError:
            raise
        except Exception as error:
            _logger.exception("Outcome of transaction %s unknown", transaction.id)
            text = str(error) or type(error).__name__
            self._record_charge_doubt(
                f"{transaction._get_unknown_outcome_text()} ({text})"
            )

    def _finish_charge(self, transaction):
        """Book what the provider confirmed."""
        if transaction.is_post_processed:
            return
        try:
            with self.env.cr.savepoint():
                transaction.with_context(
                    skip_sale_auto_invoice_send=True
                )._post_process()
        except OperationalError:
            raise
        except Exception as error:
            # Odoo's job tries it again for some days.
            _logger.exception("Transaction %s could not be booked", transaction.id)
            text = str(error) or type(error).__name__
            if transaction.state == "done":
                text = f"{transaction._get_unbooked_text()} ({text})"
                self._record_charge_doubt(text)
            else:
                self._record_charge_failure(transaction.invoice_ids, text)
