from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command

from .common import SubscriptionCase


class PaymentCase(SubscriptionCase):
    """A customer with saved payment methods of Odoo's demo provider.

    Charging them ends as they were told, and goes through Odoo's own payment code: the
    module `payment_demo` has to be installed for these tests.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Provider = cls.env["payment.provider"]
        if "demo" not in Provider._fields["code"].get_values(cls.env):
            raise AssertionError(
                "These tests charge with payment_demo: install it too."
            )
        cls.provider = Provider.search(
            [("code", "=", "demo"), ("company_id", "=", cls.company.id)], limit=1
        )
        cls.provider.state = "test"
        cls.method = cls.provider.payment_method_ids[:1]
        line = cls.provider.journal_id.inbound_payment_method_line_ids.filtered(
            lambda x: x.payment_provider_id == cls.provider
        )
        line.payment_account_id = (
            cls.provider._get_payment_method_outstanding_account_id(
                line.payment_method_id
            )
        )
        cls.token = cls._create_token()
        # Not of this company's other modules: an invoice is 10.00, whole.
        cls.fee.taxes_id = [Command.clear()]

    @classmethod
    def _create_token(cls, outcome="done", **values):
        """A saved payment method; each charge to it ends in ``outcome``."""
        defaults = {
            "provider_id": cls.provider.id,
            "payment_method_id": cls.method.id,
            "payment_details": "4242",
            "partner_id": cls.partner.id,
            "provider_ref": "reference at the provider",
            "demo_simulated_state": outcome,
        }
        return cls.env["payment.token"].create(defaults | values)

    def _create_paid_subscription(self, *products, outcome="done", **values):
        """A monthly subscription from 2026-01-01, paid by token."""
        token = self.token if outcome == "done" else self._create_token(outcome)
        values = {"payment_token_id": token.id} | values
        return self._create_subscription(*products, **values)

    def _create_invoiced_subscription(self, **values):
        """The same, with an invoice of 10.00 of 2026-01-01 that is not charged yet."""
        order = self._create_paid_subscription(**values)
        with freeze_time("2026-01-01"):
            order._create_recurring_invoice()
        return order

    def _create_transaction(self, invoice, at="2026-01-01", **values):
        """What a customer who pays in the portal leaves behind, in draft."""
        defaults = {
            "provider_id": self.provider.id,
            "payment_method_id": self.method.id,
            "operation": "online_direct",
            "amount": invoice.amount_residual,
            "currency_id": invoice.currency_id.id,
            "partner_id": invoice.partner_id.id,
            "invoice_ids": [Command.set(invoice.ids)],
        }
        with freeze_time(at):
            return self.env["payment.transaction"].create(defaults | values)

    def _answer(self, transaction, state, at="2026-01-01", **values):
        """The provider says what became of a transaction; Odoo's job follows it up."""
        data = {
            "reference": transaction.reference,
            "simulated_state": state,
            "payment_details": "1111",
        }
        with freeze_time(at):
            transaction._process("demo", data | values)
            transaction._post_process()

    def _sweep(self, at):
        """Charge what is due at a time (UTC) or on a day."""
        with freeze_time(at):
            self.env["sale.order"]._cron_charge_subscriptions()

    def _charges(self, order):
        """The charges this module made, oldest first."""
        invoices = order._get_paying_orders().subscription_period_ids.move_id
        charges = invoices.transaction_ids.filtered(lambda t: t.operation == "offline")
        return charges.sorted("id")

    def _sending(self, error):
        """Let the request of every charge raise ``error``."""
        transaction_class = self.env.registry["payment.transaction"]

        def send(transaction):
            raise error

        return patch.object(transaction_class, "_send_payment_request", send)

    def _credit(self, invoice, amount):
        """Reconcile a credit note with an invoice."""
        credit = invoice._reverse_moves(
            [{"invoice_date": fields.Date.to_date("2026-01-01")}], cancel=False
        )
        credit.invoice_line_ids.price_unit = amount
        credit.action_post()
        (invoice + credit).line_ids.filtered(
            lambda x: x.account_type == "asset_receivable" and not x.reconciled
        ).reconcile()

    def _register_payment(self, invoice):
        """Pay an invoice by other means."""
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({})._create_payments()

    def assertFailed(self, order, count, retry_date, reason=None):
        """Check what a subscription says of its failed charges; date as ISO text."""
        self.assertTrue(order.payment_exception)
        self.assertEqual(order.payment_attempt_count, count)
        self.assertEqual(
            order.payment_retry_date, fields.Date.to_date(retry_date) or False
        )
        if reason:
            self.assertIn(reason, order.payment_exception_reason)

    def assertNoFailure(self, order):
        self.assertFalse(order.payment_exception)
        self.assertFalse(order.payment_exception_reason)
        self.assertEqual(order.payment_attempt_count, 0)
        self.assertFalse(order.payment_retry_date)
        self.assertFalse(self._payment_activities(order))

    def _payment_activities(self, order):
        kind = self.env.ref("sale_subscription.mail_activity_type_payment_failed")
        return order.activity_ids.filtered(lambda a: a.activity_type_id == kind)

    @staticmethod
    def _days(first, count):
        """ISO dates of consecutive days."""
        first = fields.Date.to_date(first)
        return [str(first + timedelta(days=i)) for i in range(count)]
