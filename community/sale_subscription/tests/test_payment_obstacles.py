from unittest.mock import patch

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .payment_common import PaymentCase

CHARGING = "odoo.addons.sale_subscription.models.payment.order_charge"


@tagged("post_install", "-at_install")
class TestPaymentObstacles(PaymentCase):
    """The table at the top of order_charge.py, row by row, and other obstacles."""

    def _begin(self, order, at="2026-01-01 06:00:00"):
        """The first step of a charge, committed; then the process was killed."""
        with freeze_time(at):
            return order._begin_charge(by_hand=False)

    # === NO TRANSACTION, OR FAILED ONES ===

    def test_failed_attempts_of_the_customer_do_not_hinder(self):
        for outcome in ("error", "cancel"):
            with self.subTest(outcome):
                order = self._create_invoiced_subscription()
                transaction = self._create_transaction(order.invoice_ids)
                self._answer(transaction, outcome)
                self.assertNoFailure(order)
                self._sweep("2026-01-01")
                self.assertEqual(order.invoice_ids.payment_state, "paid")

    # === DRAFT ===

    def test_killed_before_sending(self):
        order = self._create_invoiced_subscription()
        charge = self._begin(order, "2026-01-01 06:00:00")
        self._sweep("2026-01-01 06:00:10")
        self._sweep("2026-01-01 06:59:59")
        self.assertEqual(self._charges(order), charge)
        self.assertNoFailure(order)
        self._sweep("2026-01-01 07:00:00")
        self.assertEqual(self._charges(order), charge)
        self.assertFailed(order, 0, None, charge.reference)
        self.assertTrue(self._payment_activities(order))

    def test_doubt_is_noted_once(self):
        order = self._create_invoiced_subscription()
        charge = self._begin(order)
        for day in self._days("2026-01-02", 5):
            self._sweep(day)
        notes = order.message_ids.filtered(
            lambda m: charge.reference in (m.body or "") and "Check it" in m.body
        )
        self.assertEqual(len(notes), 1)

    def test_late_answer_of_a_killed_charge(self):
        order = self._create_invoiced_subscription()
        charge = self._begin(order)
        self._sweep("2026-01-02")
        self._answer(charge, "done", at="2026-01-02")
        self.assertEqual(order.invoice_ids.payment_state, "paid")
        self.assertNoFailure(order)

    def test_customer_who_is_paying_in_the_portal(self):
        order = self._create_invoiced_subscription()
        self._create_transaction(order.invoice_ids, at="2026-01-01 05:30:00")
        self._sweep("2026-01-01 06:00:00")
        self.assertFalse(self._charges(order))
        self.assertNoFailure(order)

    @mute_logger(CHARGING)
    def test_bug_while_sending_leaves_the_outcome_unknown(self):
        """It may have happened after the provider took the money."""
        order = self._create_invoiced_subscription()
        with self._sending(KeyError("oops")):
            self._sweep("2026-01-01")
        self.assertFailed(order, 0, None, "It is not known")
        self.assertIn("oops", order.payment_exception_reason)
        self._sweep("2026-01-09")
        self.assertEqual(self._charges(order).mapped("state"), ["draft"])

    def test_provider_that_says_nothing(self):
        order = self._create_invoiced_subscription()
        transaction_class = self.env.registry["payment.transaction"]
        with patch.object(
            transaction_class, "_send_payment_request", lambda transaction: None
        ):
            self._sweep("2026-01-01")
        self.assertNoFailure(order)
        self._sweep("2026-01-02")
        self.assertEqual(self._charges(order).mapped("state"), ["draft"])
        self.assertFailed(order, 0, None, "It is not known")

    # === PENDING ===

    def _announce_bank_transfer(self, invoice):
        provider = self.env["payment.provider"].create(
            {"name": "Bank transfer", "code": "none", "state": "test"}
        )
        transaction = self._create_transaction(invoice, provider_id=provider.id)
        with freeze_time("2026-01-01 05:30:00"):
            transaction._set_pending()
        return transaction

    def test_announced_bank_transfer(self):
        order = self._create_invoiced_subscription()
        transaction = self._announce_bank_transfer(order.invoice_ids)
        self._sweep("2026-01-01 06:00:00")
        self.assertNoFailure(order)
        self._sweep("2026-01-02")
        self.assertFailed(order, 0, None, transaction.reference)
        self.assertFalse(self._charges(order))

    def test_pending_payment_of_the_customer(self):
        order = self._create_invoiced_subscription()
        transaction = self._create_transaction(order.invoice_ids)
        self._answer(transaction, "pending")
        self._sweep("2026-01-05")
        self.assertFalse(self._charges(order))
        self.assertNoFailure(order)

    # === CONFIRMED ===

    def test_part_paid_by_the_customer(self):
        order = self._create_invoiced_subscription()
        transaction = self._create_transaction(order.invoice_ids, amount=4.0)
        self._answer(transaction, "done")
        self.assertEqual(order.invoice_ids.payment_state, "partial")
        self._sweep("2026-01-01")
        self.assertEqual(self._charges(order).amount, 6.0)
        self.assertEqual(order.invoice_ids.payment_state, "paid")

    def test_killed_before_booking(self):
        """The money is there: Odoo's job books it; nothing is charged meanwhile."""
        order = self._create_invoiced_subscription()
        charge = self._begin(order)
        with freeze_time("2026-01-01 06:00:00"):
            order._send_charge(charge)
        self.assertEqual(charge.state, "done")
        self._sweep("2026-01-01 06:05:00")
        self.assertEqual(self._charges(order), charge)
        self.assertNoFailure(order)
        with freeze_time("2026-01-01 06:10:00"):
            charge._post_process()
        self.assertEqual(order.invoice_ids.payment_state, "paid")

    def test_never_booked(self):
        order = self._create_invoiced_subscription()
        charge = self._begin(order)
        with freeze_time("2026-01-01 06:00:00"):
            order._send_charge(charge)
        self._sweep("2026-01-02")
        self.assertEqual(self._charges(order), charge)
        self.assertFailed(order, 0, None, "was received")

    @mute_logger(CHARGING)
    def test_booking_that_fails(self):
        order = self._create_invoiced_subscription()
        transaction_class = self.env.registry["payment.transaction"]

        def create_payment(transaction, **values):
            raise ValueError("No account.")

        with patch.object(transaction_class, "_create_payment", create_payment):
            self._sweep("2026-01-01")
        charge = self._charges(order)
        self.assertEqual(charge.state, "done")
        self.assertFalse(charge.is_post_processed)
        self.assertFailed(order, 0, None, "No account.")
        self._sweep("2026-01-09")
        self.assertEqual(self._charges(order), charge)
        self._answer(charge, "done", at="2026-01-09")
        self.assertNoFailure(order)

    def test_taken_back_by_the_bank(self):
        """A person unreconciled the payment, and says whether to charge again."""
        order = self._create_paid_subscription()
        invoice = self._run_cron("2026-01-01")
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(invoice.payment_state, "not_paid")
        self._sweep("2026-01-02")
        self.assertEqual(len(self._charges(order)), 1)
        self.assertFailed(order, 0, None, "is not reconciled")

    def _without_journal_entries(self):
        """Payments as with an accounting application: booked by the bank statement."""
        self.provider.journal_id.inbound_payment_method_line_ids.write(
            {"payment_account_id": False}
        )
        return patch.object(
            self.env.registry["account.move"],
            "_get_invoice_in_payment_state",
            lambda move: "in_payment",
        )

    def test_charge_booked_by_the_bank_statement(self):
        """Odoo leaves the whole amount open until then."""
        order = self._create_paid_subscription()
        with self._without_journal_entries():
            invoice = self._run_cron("2026-01-01")
            self.assertFalse(self._charges(order).payment_id.move_id)
            self.assertEqual(invoice.amount_residual, 10.0)
            for day in self._days("2026-01-02", 3):
                self._sweep(day)
        self.assertEqual(len(self._charges(order)), 1)
        self.assertNoFailure(order)

    def test_payment_booked_by_the_bank_statement(self):
        """Of 7.00 beside a credit note of 3.00: Odoo calls the invoice partly paid."""
        order = self._create_invoiced_subscription()
        invoice = order.invoice_ids
        self._credit(invoice, 3.0)
        with self._without_journal_entries():
            payment = self.env["account.payment"].create(
                {
                    "payment_type": "inbound",
                    "partner_id": self.partner.id,
                    "journal_id": self.provider.journal_id.id,
                    "amount": 7.0,
                    "invoice_ids": [Command.set(invoice.ids)],
                }
            )
            payment.action_post()
            payment.action_validate()
            self.assertFalse(payment.move_id)
            self.assertEqual(invoice.payment_state, "partial")
            self._sweep("2026-01-01")
        self.assertFalse(self._charges(order))
        self.assertFailed(order, 0, None, payment.name)

    # === PROVIDER AND TOKEN ===

    def assertRefused(self, order, reason):
        self._sweep("2026-01-01")
        self.assertFalse(self._charges(order))
        self.assertFailed(order, 1, "2026-01-02", reason)

    def _other_currency(self, order):
        names = {"EUR", "USD"} - {order.currency_id.name}
        currency = self.env.ref(f"base.{min(names)}")
        currency.active = True
        return currency

    def test_archived_token(self):
        order = self._create_invoiced_subscription()
        self.token.active = False
        self.assertRefused(order, "was archived or deleted")

    def test_disabled_provider(self):
        order = self._create_invoiced_subscription()
        self.provider.state = "disabled"  # archives its tokens
        self.assertRefused(order, "was archived or deleted")

    def test_disabled_provider_with_a_token_left(self):
        order = self._create_invoiced_subscription()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE payment_provider SET state = 'disabled' WHERE id = %s",
            [self.provider.id],
        )
        self.env.invalidate_all()
        self.assertRefused(order, "is disabled")

    def test_currency_the_provider_does_not_take(self):
        order = self._create_invoiced_subscription()
        other = self._other_currency(order)
        self.provider.available_currency_ids = [Command.set(other.ids)]
        self.assertRefused(order, "incompatible currency")

    def test_currency_the_payment_method_does_not_take(self):
        order = self._create_invoiced_subscription()
        other = self._other_currency(order)
        self.method.supported_currency_ids = [Command.set(other.ids)]
        self.assertRefused(order, "currency not supported")

    def test_amount_above_the_maximum_of_the_provider(self):
        order = self._create_invoiced_subscription()
        self.provider.maximum_amount = 9.99
        self.assertRefused(order, "maximum amount exceeded")

    def test_obstacle_that_goes_away(self):
        order = self._create_invoiced_subscription()
        self.provider.maximum_amount = 9.99
        self._sweep("2026-01-01")
        self.provider.maximum_amount = 10.0
        self._sweep("2026-01-02")
        self.assertEqual(order.invoice_ids.payment_state, "paid")
        self.assertNoFailure(order)

    # === INVOICE AND SUBSCRIPTION ===

    def test_draft_invoice(self):
        self.plan.invoice_posting = "draft"
        order = self._create_paid_subscription()
        invoice = self._run_cron("2026-01-01")
        self.assertFalse(self._charges(order))
        with freeze_time("2026-01-03"):
            invoice.action_post()
        self._run_cron("2026-01-03")
        self.assertEqual(invoice.payment_state, "paid")

    def test_blocked_invoice(self):
        order = self._create_invoiced_subscription()
        order.invoice_ids.action_toggle_block_payment()
        self._sweep("2026-01-01")
        self.assertFalse(self._charges(order))
        self.assertNoFailure(order)
        order.invoice_ids.action_toggle_block_payment()
        self._sweep("2026-01-02")
        self.assertEqual(len(self._charges(order)), 1)

    def test_invoice_excluded_from_follow_ups(self):
        order = self._create_invoiced_subscription()
        order.invoice_ids.no_followup = True
        self._sweep("2026-01-01")
        self.assertFalse(self._charges(order))
        self.assertNoFailure(order)

    def test_without_token(self):
        order = self._create_invoiced_subscription(payment_token_id=False)
        self._sweep("2026-01-01")
        self.assertFalse(order.invoice_ids.transaction_ids)

    def test_paused_subscription_owes_what_was_invoiced(self):
        order = self._create_invoiced_subscription()
        order.pause_subscription()
        self._sweep("2026-01-01")
        self.assertEqual(len(self._charges(order)), 1)

    def test_renewed_subscription_owes_what_was_invoiced(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-01-15"):
            order._create_upsell_renew_order("2_renewal").action_confirm()
        self.assertEqual(order.subscription_state, "5_renewed")
        self._sweep("2026-01-15")
        self.assertEqual(len(self._charges(order)), 1)

    def test_closed_subscription_is_not_charged(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-01-02"):
            order.set_close()
        self._sweep("2026-01-02")
        self.assertFalse(self._charges(order))

    def test_closed_for_being_unpaid(self):
        """Not charged while closed; paid, it runs again and is charged again."""
        self.plan.auto_close_limit = 10
        order = self._create_paid_subscription(outcome="error")
        invoice = self._run_cron("2026-01-01")
        with freeze_time("2026-01-12"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "6_churn")
        order.payment_token_id = self.token
        self._sweep("2026-01-12")
        self.assertEqual(invoice.payment_state, "not_paid")
        with freeze_time("2026-01-13"):
            self._register_payment(invoice)
        self.assertEqual(order.subscription_state, "3_progress")
        self._run_cron("2026-02-01")
        self.assertEqual(self._charges(order).mapped("state"), ["error", "done"])
