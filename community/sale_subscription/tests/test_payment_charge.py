from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import errors

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .payment_common import PaymentCase

CHARGING = "odoo.addons.sale_subscription.models.payment.order_charge"


@tagged("post_install", "-at_install")
class TestPaymentCharge(PaymentCase):
    """What is charged, when, and how often."""

    # === OUTCOMES ===

    def test_posted_invoice_is_charged_in_the_same_run(self):
        order = self._create_paid_subscription()
        invoice = self._run_cron("2026-01-01")
        charge = self._charges(order)
        self.assertEqual(charge.state, "done")
        self.assertEqual(charge.amount, 10.0)
        self.assertEqual(charge.token_id, self.token)
        self.assertEqual(charge.invoice_ids, invoice)
        self.assertEqual(invoice.payment_state, "paid")
        self.assertTrue(charge.payment_id.is_reconciled)
        self.assertNoFailure(order)

    def test_declined(self):
        for outcome in ("error", "cancel"):
            with self.subTest(outcome):
                order = self._create_paid_subscription(outcome=outcome)
                invoice = self._run_cron("2026-01-01")
                self.assertEqual(self._charges(order).state, outcome)
                self.assertEqual(invoice.payment_state, "not_paid")
                self.assertFailed(order, 1, "2026-01-02")

    def test_what_the_provider_said_is_shown_and_noted(self):
        order = self._create_paid_subscription(outcome="error")
        invoice = self._run_cron("2026-01-01")
        said = "You selected the following demo payment status: error"
        self.assertFailed(order, 1, "2026-01-02", said)
        notes = order.message_ids.filtered(lambda m: said in (m.body or ""))
        self.assertEqual(len(notes), 1)
        self.assertIn(invoice.name, notes.body)
        self.assertIn("01/02/2026", notes.body)

    def test_pending_is_left_to_the_provider(self):
        order = self._create_paid_subscription(outcome="pending")
        invoice = self._run_cron("2026-01-01")
        for day in self._days("2026-01-02", 20):
            self._sweep(day)
        charge = self._charges(order)
        self.assertEqual(charge.mapped("state"), ["pending"])
        self.assertNoFailure(order)
        self._answer(charge, "done", at="2026-01-22")
        self.assertEqual(invoice.payment_state, "paid")

    def test_pending_that_fails_later_is_tried_again_from_then_on(self):
        order = self._create_paid_subscription(outcome="pending")
        self._run_cron("2026-01-01")
        self._answer(self._charges(order), "error", at="2026-01-06")
        self.assertFailed(order, 1, "2026-01-07")
        self._sweep("2026-01-06")
        self.assertEqual(len(self._charges(order)), 1)
        self._sweep("2026-01-07")
        self.assertEqual(self._charges(order).mapped("state"), ["error", "pending"])

    def test_pending_invoice_does_not_hold_up_the_next_one(self):
        order = self._create_paid_subscription(outcome="pending")
        self._run_cron("2026-01-01")
        order.payment_token_id.demo_simulated_state = "done"
        february = self._run_cron("2026-02-01")
        self.assertEqual(self._charges(order).mapped("state"), ["pending", "done"])
        self.assertEqual(february.payment_state, "paid")

    def test_authorized_waits_for_its_capture(self):
        self.provider.capture_manually = True
        order = self._create_paid_subscription()
        invoice = self._run_cron("2026-01-01")
        charge = self._charges(order)
        self._sweep("2026-01-02")
        self.assertEqual(self._charges(order), charge)
        self.assertEqual(charge.state, "authorized")
        capture = charge._capture()
        (charge | capture)._post_process()
        self.assertEqual(invoice.payment_state, "paid")

    # === RETRIES ===

    def test_retries_on_their_days_then_no_more(self):
        """1, 3, 5 and 7 days after the try before: 2, 5, 10 and 17 January."""
        order = self._create_paid_subscription(outcome="error")
        tried = {}
        for day in self._days("2026-01-01", 40):
            before = len(self._charges(order))
            self._run_cron(day)
            if len(self._charges(order)) > before:
                tried[day] = len(self._charges(order)) - before
        self.assertEqual(
            tried,
            {
                "2026-01-01": 1,
                "2026-01-02": 1,
                "2026-01-05": 1,
                "2026-01-10": 1,
                "2026-01-17": 1,
            },
        )
        self.assertFailed(order, 5, None)
        self.assertEqual(len(order.subscription_period_ids.move_id), 2)

    def test_last_failure_asks_the_salesperson(self):
        salesperson = self.env.ref("base.user_admin")
        order = self._create_paid_subscription(outcome="error", user_id=salesperson.id)
        for day in ("2026-01-01", "2026-01-02", "2026-01-05", "2026-01-10"):
            self._run_cron(day)
        self.assertFailed(order, 4, "2026-01-17")
        self.assertFalse(self._payment_activities(order))
        self._run_cron("2026-01-17")
        self.assertFailed(order, 5, None)
        self.assertEqual(self._payment_activities(order).user_id, salesperson)

    def test_missed_days_are_one_try(self):
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        self._sweep("2026-01-20")
        self.assertEqual(len(self._charges(order)), 2)
        self.assertFailed(order, 2, "2026-01-23")

    def test_success_after_failure_clears_it(self):
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        order.payment_token_id.demo_simulated_state = "done"
        self._sweep("2026-01-02")
        self.assertEqual(self._charges(order).mapped("state"), ["error", "done"])
        self.assertNoFailure(order)

    def test_paid_otherwise_clears_it(self):
        order = self._create_paid_subscription(outcome="error")
        invoice = self._run_cron("2026-01-01")
        self._register_payment(invoice)
        self.assertNoFailure(order)
        self._sweep("2026-01-02")
        self.assertEqual(len(self._charges(order)), 1)

    def test_credited_or_cancelled_clears_it_in_the_next_run(self):
        credited = self._create_paid_subscription(outcome="error")
        cancelled = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        self._credit(credited.invoice_ids, 10.0)
        cancelled.invoice_ids.button_draft()
        cancelled.invoice_ids.button_cancel()
        self._sweep("2026-01-02")
        for order in credited | cancelled:
            self.assertNoFailure(order)
            self.assertEqual(len(self._charges(order)), 1)

    def test_one_of_two_paid_keeps_the_other_failed(self):
        order = self._create_paid_subscription(outcome="error")
        january = self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        self.assertFailed(order, 2, "2026-02-04")
        self._register_payment(january)
        self.assertFailed(order, 2, "2026-02-04")

    def test_oldest_first_and_the_first_failure_ends_the_turn(self):
        order = self._create_paid_subscription(outcome="error")
        january = self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        self.assertEqual(self._charges(order).invoice_ids, january)

    def test_several_open_invoices_are_charged_one_by_one(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-02-01"):
            order._create_recurring_invoice()
        self._sweep("2026-02-01")
        self.assertEqual(self._charges(order).mapped("amount"), [10.0, 10.0])
        self.assertEqual(len(self._charges(order).invoice_ids), 2)

    # === AMOUNT ===

    def test_credit_note_leaves_the_rest_to_charge(self):
        order = self._create_invoiced_subscription()
        self._credit(order.invoice_ids, 3.0)
        self._sweep("2026-01-01")
        self.assertEqual(self._charges(order).amount, 7.0)
        self.assertEqual(order._get_open_invoices().ids, [])

    def test_nothing_owed_is_not_charged(self):
        free = self._create_product(name="Free", list_price=0.0)
        order = self._create_paid_subscription(free)
        self._run_cron("2026-01-01")
        self.assertFalse(self._charges(order))

    def test_credit_note_of_a_period_is_not_charged(self):
        order = self._create_paid_subscription()
        with freeze_time("2026-01-01"):
            order.order_line.price_unit = -10.0
            invoice = self._run_cron("2026-01-01")
        self.assertEqual(invoice.move_type, "out_refund")
        self.assertFalse(self._charges(order))

    def test_upsell_is_charged_to_its_subscription(self):
        order = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-01"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.product_uom_qty = 2
            upsell.action_confirm()
            self._run_cron("2026-01-01")
        charge = upsell.invoice_ids.transaction_ids
        self.assertEqual(charge.state, "done")
        self.assertEqual(charge.amount, 20.0)
        self.assertEqual(charge.token_id, self.token)

    # === ONLY ONCE ===

    def test_two_runs_charge_once(self):
        order = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        self._run_cron("2026-01-01")
        self._sweep("2026-01-02")
        self.assertEqual(len(self._charges(order)), 1)

    def test_run_while_another_worker_holds_the_lock(self):
        order = self._create_invoiced_subscription()
        order_class = self.env.registry["sale.order"]
        with patch.object(
            order_class, "try_lock_for_update", lambda order, **_kw: order.browse()
        ):
            self._sweep("2026-01-01")
        self.assertFalse(self._charges(order))

    def test_charged_between_search_and_lock(self):
        order = self._create_invoiced_subscription()
        order_class = self.env.registry["sale.order"]
        original = order_class.try_lock_for_update

        def lock(order, **kwargs):
            locked = original(order, **kwargs)
            if not self._charges(order):
                self._create_transaction(
                    order.invoice_ids, operation="offline", token_id=self.token.id
                )
            return locked

        with patch.object(order_class, "try_lock_for_update", lock):
            self._sweep("2026-01-01")
        self.assertEqual(self._charges(order).mapped("state"), ["draft"])

    def test_charging_marks_the_row_of_the_subscription(self):
        """A worker with an older snapshot then cannot lock it (REPEATABLE READ)."""
        order = self._create_invoiced_subscription()
        self._sweep("2026-01-01 06:00:00")
        now = fields.Datetime.to_datetime("2026-01-01 06:00:00")
        self.assertEqual(order.payment_attempt_date, now)

    def test_reference_taken_by_a_customer_paying_at_the_same_time(self):
        order = self._create_invoiced_subscription()
        transaction_class = self.env.registry["payment.transaction"]
        taken = errors.UniqueViolation("payment_transaction_reference_uniq")

        def create(records, vals_list):
            raise taken

        with patch.object(transaction_class, "create", create):
            self._sweep("2026-01-01")
        self.assertNoFailure(order)
        self._sweep("2026-01-01")
        self.assertEqual(len(self._charges(order)), 1)

    # === ISOLATION ===

    def test_one_failing_leaves_the_others_alone(self):
        first = self._create_paid_subscription()
        bad = self._create_paid_subscription(outcome="error")
        last = self._create_paid_subscription()
        self._run_cron("2026-01-01")
        self.assertEqual(first.invoice_ids.payment_state, "paid")
        self.assertTrue(bad.payment_exception)
        self.assertEqual(last.invoice_ids.payment_state, "paid")

    @mute_logger(CHARGING)
    def test_bug_before_sending_is_a_failure(self):
        order = self._create_invoiced_subscription()
        order_class = self.env.registry["sale.order"]

        def prepare(order, invoice):
            raise KeyError("oops")

        with patch.object(order_class, "_prepare_charge_values", prepare):
            self._sweep("2026-01-01")
        self.assertFalse(self._charges(order))
        self.assertFailed(order, 1, "2026-01-02", "oops")

    def test_database_conflict_is_not_a_failed_charge(self):
        """Odoo repeats the transaction; recorded as an error it would be lost."""
        order = self._create_invoiced_subscription()
        failure = errors.SerializationFailure("could not serialize access")
        with self._sending(failure), self.assertRaises(errors.SerializationFailure):
            self._sweep("2026-01-01")
        self.assertNoFailure(order)

    # === SEVERAL ORDERS ON ONE INVOICE ===

    def _invoice_together(self, *orders):
        together = self.env["sale.order"].union(*orders)
        with freeze_time("2026-01-01"):
            invoice = together._create_invoices()
            invoice.action_post()
        self.assertEqual(len(invoice), 1)
        return invoice

    def test_invoice_of_two_subscriptions_with_one_token(self):
        orders = [self._create_paid_subscription() for _i in range(2)]
        invoice = self._invoice_together(*orders)
        self._sweep("2026-01-01")
        self.assertEqual(invoice.transaction_ids.mapped("amount"), [20.0])

    def test_invoice_that_is_also_for_an_order_without_token(self):
        """The customer agreed to have one of them charged, not the other."""
        order = self._create_paid_subscription()
        other = self.env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "order_line": [Command.create({"product_id": self.setup_fee.id})],
            }
        )
        other.action_confirm()
        invoice = self._invoice_together(order, other)
        self._sweep("2026-01-01")
        self.assertFalse(invoice.transaction_ids)
        self.assertFailed(order, 1, "2026-01-02", other.name)

    # === SEVERAL COMPANIES ===

    def test_company_charges_with_its_own_provider(self):
        """In one run of the scheduled action, which works in the first company."""
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.env["account.chart.template"].try_loading("generic_coa", company)
        provider = self.provider.copy({"company_id": company.id})
        provider.state = "test"
        token = self._create_token(provider_id=provider.id)
        here = self._create_paid_subscription()
        there = self.env["sale.order"].with_company(company)
        with freeze_time("2026-01-01"):
            there = there.create(
                {
                    "partner_id": self.partner.id,
                    "company_id": company.id,
                    "plan_id": self.plan.id,
                    "payment_token_id": token.id,
                    "order_line": [Command.create({"product_id": self.fee.id})],
                }
            )
            there.action_confirm()
        self._run_cron("2026-01-01")
        for order in here | there:
            payment = self._charges(order).payment_id
            self.assertEqual(payment.company_id, order.company_id)
            self.assertEqual(payment.journal_id.company_id, order.company_id)
            self.assertEqual(order.invoice_ids.payment_state, "paid")
