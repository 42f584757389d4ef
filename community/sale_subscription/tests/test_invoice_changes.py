from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestInvoiceChanges(SubscriptionCase):
    """What happens to the dates when someone touches the invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.draft_plan = cls._create_plan(invoice_posting="draft")

    def setUp(self):
        super().setUp()
        self.order = self._create_subscription(plan_id=self.draft_plan.id)
        self.draft = self._run_cron("2026-01-01")

    def test_draft_does_not_advance(self):
        self.assertEqual(self.draft.state, "draft")
        self.assertDates(self.order, None, "2026-01-01")

    def test_draft_keeps_its_period(self):
        self.assertFalse(self._run_cron("2026-02-15"))
        self.assertEqual(len(self.order.invoice_ids), 1)

    def test_posting_advances_and_frees_the_way(self):
        with freeze_time("2026-02-15"):
            self.draft.action_post()
        self.assertDates(self.order, "2026-01-01", "2026-02-01")
        self.assertEqual(len(self._run_cron("2026-02-15")), 1)

    def test_draft_deleted_makes_the_period_due_again(self):
        with freeze_time("2026-01-02"):
            self.draft.unlink()
            self.assertEqual(self.order.order_line.qty_to_invoice, 1)
        again = self._run_cron("2026-01-02")
        self.assertEqual(again.amount_total, 10)
        self.assertDates(self.order, None, "2026-01-01")

    def test_draft_cancelled_makes_the_period_due_again(self):
        self.draft.button_cancel()
        self.assertEqual(len(self._run_cron("2026-01-02")), 1)

    def test_draft_cancelled_and_made_anew_in_one_transaction(self):
        """The cancelled one's claim has not reached the database when the next comes.

        It used to bar the way there: a duplicate period where there was none.
        """
        with freeze_time("2026-01-02"):
            self.env.flush_all()
            self.draft.button_cancel()
            self.assertEqual(self.order._create_invoices().amount_total, 10)

    def test_cancelled_draft_can_come_back_while_its_period_is_free(self):
        self.draft.button_cancel()
        self.draft.button_draft()
        self.assertFalse(self._run_cron("2026-01-02"))

    def test_cancelled_draft_cannot_come_back_beside_its_successor(self):
        self.draft.button_cancel()
        self._run_cron("2026-01-02")
        with self.assertRaisesRegex(UserError, "invoiced again"):
            self.draft.button_draft()

    def test_cancelled_after_posting_leaves_the_dates(self):
        with freeze_time("2026-01-01"):
            self.draft.action_post()
            self.draft.button_cancel()
        self.assertDates(self.order, "2026-01-01", "2026-02-01")
        self.assertFalse(self._run_cron("2026-01-31"))

    def test_posted_again_does_not_advance_twice(self):
        with freeze_time("2026-01-01"):
            self.draft.action_post()
            self.draft.button_draft()
            self.draft.action_post()
        self.assertDates(self.order, "2026-01-01", "2026-02-01")

    def test_credit_note_leaves_the_dates(self):
        with freeze_time("2026-01-01"):
            self.draft.action_post()
            refund = self.draft._reverse_moves(cancel=True)
        self.assertEqual(refund.state, "posted")
        self.assertDates(self.order, "2026-01-01", "2026-02-01")
        self.assertFalse(self._run_cron("2026-01-31"))

    def test_period_is_unique_in_the_database(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.order.subscription_period_ids.copy()

    def test_paid_period_posted_after_closing_moves_dates_only(self):
        with freeze_time("2026-01-20"):
            self.order.set_close()
            self.draft.action_post()
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.assertDates(self.order, "2026-01-01", "2026-02-01")

    def test_lines_taken_off_a_draft_for_two_make_the_period_due_again(self):
        """It once counted as invoiced by an invoice that had nothing of it."""
        first, second = (self._create_subscription() for _i in range(2))
        with freeze_time("2026-01-01"):
            draft = (first + second)._create_invoices()
            draft.invoice_line_ids.filtered(
                lambda line: line.subscription_id == second
            ).unlink()
            draft.action_post()
        self.assertDates(first, "2026-01-01", "2026-02-01")
        self.assertDates(second, None, "2026-01-01")
        self.assertEqual(self._run_cron("2026-01-02").line_ids.subscription_id, second)
