from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..rating.ledger_case import FEBRUARY, MARCH, LedgerCase


@tagged("post_install", "-at_install")
class TestTakenBack(LedgerCase):
    """Invoices cancelled, credited and corrected, one after the other.

    Found by random programs (system_tests/test_life.py). January has 200 calls, of
    which 100 are included: 50.00.
    """

    def setUp(self):
        super().setUp()
        self.event = self._record(200)
        self.invoice = self._invoice(FEBRUARY)

    def _cancel(self, move):
        if move.state == "posted":
            move.button_draft()
        move.button_cancel()

    def _billed(self):
        ratings = self.order.fc_rating_ids.filtered(lambda r: r.state == "invoiced")
        return sum(ratings.mapped("amount"))

    def test_the_first_of_two_invoices_of_a_window_is_cancelled(self):
        """Its 50.00 were lost: the window's latest revision was on an invoice."""
        self._record(10, "2026-01-20 00:00:00")
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 5.0)
        self._cancel(self.invoice)
        self.assertEqual(self._open_amount(), 50.0)
        # The second invoice bills what the first has left over: no reason to refuse.
        self.invoice.button_draft()
        self.invoice.action_post()
        self.assertEqual((self._billed(), self._open_amount()), (55.0, 0.0))

    def test_a_correction_and_what_it_corrects_do_not_both_count(self):
        credit, corrected = self._reverse(self.invoice, modify=True)
        self._cancel(corrected)
        credit.button_draft()
        corrected.button_draft()
        with self.assertRaisesRegex(UserError, "bill it twice"):
            corrected.action_post()

    def test_usage_that_came_while_an_invoice_of_an_ended_one_was_corrected(self):
        """It waits for the corrected invoice, and is billed when that is posted."""
        with freeze_time("2026-03-01 12:00:00"):
            self.order.set_close()
        _credit, corrected = self._reverse(self.invoice, modify=True)
        self._record(10, "2026-01-20 00:00:00")
        corrected.action_post()
        self.assertEqual((self._billed(), self._open_amount()), (55.0, 0.0))

    def test_a_second_credit_note_releases_nothing_more(self):
        """Its correction took over what the next invoice had billed already."""
        self._reverse(self.invoice)
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 50.0)
        self._reverse(self.invoice, modify=True)
        self.assertEqual((self._billed(), self._open_amount()), (50.0, 0.0))

    def test_an_invoice_is_cancelled_after_its_credit_note(self):
        """While it stood, what it gives back would have been of no bill."""
        credit, _none = self._reverse(self.invoice)
        with self.assertRaisesRegex(UserError, credit.name):
            self._cancel(self.invoice)
        self._cancel(credit)
        self._cancel(self.invoice)
        self.assertEqual((self._billed(), self._open_amount()), (0.0, 50.0))

    def test_a_cancelled_invoice_comes_back_while_its_credit_note_stands(self):
        credit, _none = self._reverse(self.invoice)
        credit.button_draft()
        self._cancel(self.invoice)
        credit.action_post()
        self.invoice.button_draft()
        self.invoice.action_post()
        self.assertEqual((self._billed(), self._open_amount()), (0.0, 50.0))

    def test_one_of_two_credit_notes_is_taken_back(self):
        """What the other one credits is still to be billed again."""
        first, _none = self._reverse(self.invoice)
        second, _none = self._reverse(self.invoice)
        first.button_draft()
        self.assertEqual((self._billed(), self._open_amount()), (0.0, 50.0))
        second.button_draft()
        self.assertEqual((self._billed(), self._open_amount()), (50.0, 0.0))

    def test_a_correction_that_was_overtaken_takes_nothing_over_later(self):
        """A third credit note gave the usage to what corrects the second."""
        first, _none = self._reverse(self.invoice)
        _second, overtaken = self._reverse(self.invoice, modify=True)
        first.button_draft()
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 50.0)
        self._reverse(self.invoice)
        self.assertFalse(overtaken.sudo().fc_rating_ids)
        self.assertEqual((self._billed(), self._open_amount()), (50.0, 0.0))

    def test_a_draft_posted_after_the_end_leaves_to_finance_what_was_cancelled(self):
        draft = self._invoice(post=False)
        with freeze_time("2026-03-01 12:00:00"):  # no period after the draft is due
            self.order.subscription_state = "6_churn"
        self._cancel(self.invoice)
        draft.action_post()
        self.assertEqual(self._open_amount(), 50.0)

    def test_a_credit_note_after_the_end_bills_nothing_by_itself(self):
        """It billed again at once what it had credited, or late usage beside it."""
        self.order.subscription_state = "6_churn"
        before = self.order.invoice_ids
        self._record(10, "2026-01-20 00:00:00")
        credit, _none = self._reverse(self.invoice)
        self.order.invalidate_recordset(["invoice_ids"])
        self.assertEqual(self.order.invoice_ids - before, credit)
        self.assertEqual(self._open_amount(), 55.0)

    def test_a_revision_without_an_amount_keeps_no_price(self):
        """Late usage, voided, was on the next invoice at 0: the old price came back."""
        late = self._record(10, "2026-01-20 00:00:00")
        self.order._fc_rate_usage()
        late._void("planted")
        self._invoice(MARCH)
        of_january = self.order.fc_rating_ids.filtered(
            lambda r: r.window_start.month == self.event.period_start.month
        )
        self.assertEqual(sorted(of_january.mapped("amount")), [0.0, 50.0])
        self._cancel(self.invoice)
        self.charge.price_per_unit = 0.25
        self.assertEqual((self._billed(), self._open_amount()), (0.0, 25.0))
        with freeze_time("2026-03-02"):  # months later it would miss invoices
            audit = self.env["fusion.billing.audit"]._run()
        self.assertEqual(audit.state, "clean")

    def test_a_window_within_the_quota_keeps_its_price_when_invoiced_again(self):
        self._record(90, "2026-02-10 00:00:00")
        draft = self._invoice(post=False)
        draft.unlink()
        self._invoice(MARCH)
        self.charge.price_per_unit = 9.0
        self._record(30, "2026-02-11 00:00:00")
        self.assertEqual(self._open_amount(), 10.0)  # 20 x 0.50

    def test_the_price_follows_again_when_a_second_draft_is_deleted(self):
        """The window still named the first one, cancelled, and kept the old price."""
        self._record(90, "2026-02-10 00:00:00")
        self._invoice(post=False).button_cancel()
        self._invoice(post=False).unlink()
        self.charge.included_quota = 80
        self.assertEqual(self._open_amount(), 5.0)  # 10 x 0.50
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 5.0)

    def test_an_invoice_of_something_else_leaves_the_open_price_to_change(self):
        """At 0 the window was settled by it, and kept the old price."""
        self._record(90, "2026-02-10 00:00:00")
        chair = self._create_product(recurring_invoice=False)
        with freeze_time("2026-02-11"):
            self.order.order_line = [
                Command.create({"product_id": chair.id, "price_unit": 5.0})
            ]
            self.order._create_invoices().action_post()
        self.charge.included_quota = 80
        self.assertEqual(self._open_amount(), 5.0)  # 10 x 0.50

    def test_late_usage_of_an_ended_one_is_billed_after_all_was_billed_again(self):
        """One credit note, years ago, left all its late usage to finance."""
        self._reverse(self.invoice)
        with freeze_time("2026-03-01 12:00:00"):
            again = self._invoice(MARCH)
            self.order.subscription_state = "6_churn"
        self.order.fc_rating_ids.closed_at = "2026-03-02 00:00:00"
        self._record(10, "2026-01-20 00:00:00")
        self._open_amount()
        Closing = self.env["fusion.billing.closing"]
        self.assertIn(self.order, Closing._waiting_orders())
        self._cancel(again)
        self._open_amount()
        Closing._bill(self.order)
        self.assertEqual((self._billed(), self._open_amount()), (0.0, 55.0))
