from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .life_documents import DocumentCase


@tagged("post_install", "-at_install")
class TestCopies(DocumentCase):
    """Documents made of others: they bill no window, or undo what they reverse.

    January has 200 calls: 100 above the quota, 50.00, invoiced on 1 February.
    """

    def setUp(self):
        super().setUp()
        self.use(200, "2026-01-10", "a")
        self.invoice = self.day("2026-02-01 09:00:00")

    def _late_call(self):
        """One more call of January: 0.50."""
        self.use(1, "2026-01-31", "late", now="2026-02-20 00:00:00")

    def _only_usage(self, move, **values):
        """Leave the usage on a draft, changed by finance."""
        (move.invoice_line_ids - self._lines_of_usage(move)).unlink()
        self._lines_of_usage(move).write(values)

    # -- copies bill no window ---------------------------------------------------

    def test_a_debit_note_with_copied_lines_is_a_charge_by_hand(self):
        """Finance charges 5.00 more by a debit note, and a late call arrives.

        The copied line was taken for another bill of January's 50.00.
        """
        if "account.debit.note" not in self.env:
            self.skipTest("Odoo's debit notes are not installed")

        def run():
            wizard = (
                self.env["account.debit.note"]
                .with_context(active_model="account.move", active_ids=self.invoice.ids)
                .create({"copy_lines": True})
            )
            wizard.create_debit()

        self.at("2026-02-05 09:00:00", run)
        note = self.invoice.debit_note_ids
        self._only_usage(note, price_unit=5.0)
        self.post(note, "2026-02-05 10:00:00")
        self._late_call()
        self.day("2026-03-01 09:00:00")
        # 50.00 + 5.00 by hand + 1 x 0.50
        self.assertEqual(self.net(), 55.5)

    def test_control_totals_name_charges_by_hand(self):
        """A copy charges January's 50.00 again; the app's totals agree all the same."""
        copy = self.invoice.copy()
        self._only_usage(copy)
        self.post(copy, "2026-02-05 10:00:00")
        values = {
            "service_id": self.service.id,
            "subscription_id": self.order.id,
            "metric_id": self.metric.id,
            "declared_quantity": 200,
            "declared_amount": 50.0,
            "has_declared_amount": True,
        }
        Reconciliation = self.env["fusion.billing.reconciliation"]
        january, february = Reconciliation.create(
            [
                values | {"window_start": "2026-01-01", "window_end": "2026-02-01"},
                values | {"window_start": "2026-02-01", "window_end": "2026-03-01"},
            ]
        )
        january.action_compare()
        self.assertEqual(january.state, "matched")
        self.assertEqual(january.charged_by_hand, 50.0)
        self.assertEqual(february.charged_by_hand, 0.0)
        # A form can be filled with a subscription that the user may not see.
        filled = {"window_start": "2026-01-01", "window_end": "2026-02-01"}
        self.assertEqual(Reconciliation.new(values | filled).charged_by_hand, 0.0)
        copy.fc_by_hand = True  # meant, and named all the same
        january.invalidate_recordset()
        self.assertEqual(january.charged_by_hand, 50.0)

    def test_a_copy_that_keeps_its_order_lines_is_a_charge_by_hand(self):
        """What other modules do to make a document that belongs to the same order."""
        copy = self.invoice.with_context(include_business_fields=True).copy()
        self._only_usage(copy, price_unit=5.0)
        self.post(copy, "2026-02-05 10:00:00")
        self._late_call()
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 55.5)  # 50.00 + 5.00 + 0.50

    def test_a_duplicate_that_is_posted_is_named_by_the_audit(self):
        """The customer pays January's calls twice: finance may want to know."""
        copy = self.at("2026-02-05 09:00:00", self.invoice.copy)
        self.post(copy, "2026-02-05 10:00:00")
        self._late_call()
        self.day("2026-03-01 09:00:00")
        # 50.00, 50.00 by hand, 0.50
        self.assertEqual(self.net(), 100.5)
        audit = self.audit()
        self.assertNotEqual(audit.state, "clean")
        self.assertIn(copy.name, " ".join(audit.finding_ids.mapped("message")))

    def test_a_duplicate_that_stays_a_draft_changes_nothing(self):
        self.at("2026-02-05 09:00:00", self.invoice.copy)
        self._late_call()
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.5)
        self.assertEqual(self.audit().state, "clean")

    def test_an_invoice_that_repeats_itself_bills_no_window(self):
        """Auto-post copies a posted invoice for the month after."""
        self.at("2026-02-02 09:00:00", self.invoice.button_draft)
        self.invoice.auto_post = "monthly"
        self.post(self.invoice, "2026-02-02 10:00:00")
        copy = self.env["account.move"].search(
            [("auto_post_origin_id", "=", self.invoice.id)]
        )
        copy = copy - self.invoice
        self._late_call()
        self.day("2026-03-01 09:00:00")
        self.assertEqual((len(copy), self.net()), (1, 50.5))
        self.post(copy, "2026-03-02 09:00:00")
        self.void("late", "2026-03-02 10:00:00")
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 100.0)  # 50.00, and 50.00 by hand
        self.assertNotEqual(self.audit().state, "clean")

    def test_a_line_copied_within_a_draft_is_a_charge_by_hand(self):
        self.at("2026-02-02 09:00:00", self.invoice.button_draft)
        line = self._lines_of_usage(self.invoice)
        values = {
            "product_id": line.product_id.id,
            "name": line.name,
            "quantity": 1,
            "price_unit": 5.0,
            "tax_ids": [Command.clear()],
            "sale_line_ids": [Command.set(line.sale_line_ids.ids)],
        }
        self.invoice.invoice_line_ids = [Command.create(values)]
        self.post(self.invoice, "2026-02-02 10:00:00")
        self._late_call()
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 55.5)  # 50.00 + 5.00 + 0.50

    # -- reversing a credit note undoes it ---------------------------------------

    def test_a_credit_note_that_is_reversed_is_undone(self):
        """It was made by mistake; the usage was billed again all the same."""
        [note] = self.reversal(self.invoice, "2026-02-05 09:00:00")
        self.post(note, "2026-02-05 09:30:00")
        [back] = self.reversal(note, "2026-02-05 10:00:00")
        self.post(back, "2026-02-05 10:30:00")
        self.assertEqual((note.amount_untaxed, back.amount_untaxed), (60.0, 60.0))
        self.day("2026-03-01 09:00:00")
        # 10.00 + (10.00 + 50.00) - 60.00 + 60.00 + 10.00
        self.assertEqual(self.net_total(), 80.0)

    def test_a_forgiving_credit_note_that_is_reversed_is_undone(self):
        note = self.credit(self.invoice, "2026-02-05 09:00:00", again=False)
        [back] = self.reversal(note, "2026-02-06 09:00:00")
        self.post(back, "2026-02-06 10:00:00")
        self._late_call()
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.5)  # 50.00 - 50.00 + 50.00 + 0.50
        self.void("a", "2026-03-05 09:00:00")
        self.void("late", "2026-03-05 09:00:00")
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_a_credit_note_of_a_part_that_is_reversed_is_undone(self):
        """20.00 of 50.00 credited and taken back; then all usage is voided."""
        note = self.credit(self.invoice, "2026-02-05 09:00:00", amount=20.0)
        [back] = self.reversal(note, "2026-02-06 09:00:00")
        self.post(back, "2026-02-06 10:00:00")
        self.assertEqual(self.net(), 50.0)
        self.void("a", "2026-02-07 09:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_a_credit_note_reversed_twice_counts_once(self):
        """Credited, undone, and that undone: the credit note counts."""
        [note] = self.reversal(self.invoice, "2026-02-05 09:00:00")
        self.post(note, "2026-02-05 09:30:00")
        [back] = self.reversal(note, "2026-02-05 10:00:00")
        self.post(back, "2026-02-05 10:30:00")
        self.undo(back, "2026-02-05 11:00:00")
        self.day("2026-03-01 09:00:00")
        # 50.00 - 50.00 + 50.00 billed again
        self.assertEqual(self.net(), 50.0)

    def test_a_credit_note_reversed_after_the_usage_was_billed_again(self):
        """Too late to undo it: refused, or a charge by hand. The ledger stays true."""
        [note] = self.reversal(self.invoice, "2026-02-05 09:00:00")
        self.post(note, "2026-02-05 09:30:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)  # 50.00 - 50.00 + 50.00
        by_hand = 50.0
        try:
            with self.env.cr.savepoint():
                [back] = self.reversal(note, "2026-03-05 09:00:00")
                self.post(back, "2026-03-05 10:00:00")
        except UserError:
            by_hand = 0.0
        self._late_call()
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 50.5 + by_hand)

    # -- reverse and create ------------------------------------------------------

    def test_reverse_and_create_with_a_future_date_and_the_draft_cancelled(self):
        """The credit note waits for its date; what was to replace it is cancelled.

        Whoever ends it that way leaves the customer with one bill of January.
        """
        made = self.reversal(
            self.invoice, "2026-02-05 09:00:00", day="2026-04-20", modify=True
        )
        corrected = made.filtered(lambda m: m.move_type == "out_invoice")
        note = made - corrected
        self.at("2026-02-05 10:00:00", corrected.button_cancel)
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)
        # Its date has come: Odoo posts it, and January is billed again.
        self.post(note, "2026-04-20 03:00:00")
        self.day("2026-05-01 09:00:00")
        self.assertEqual(self.net(), 50.0)  # 50.00 - 50.00 + 50.00

    def test_reverse_and_create_bills_in_place_of_the_old_one(self):
        made = self.reversal(self.invoice, "2026-02-05 09:00:00", modify=True)
        corrected = made.filtered(lambda m: m.move_type == "out_invoice")
        self.post(corrected, "2026-02-05 10:00:00")
        self._late_call()
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.5)  # 50.00 - 50.00 + 50.00 + 0.50


@tagged("post_install", "-at_install")
class TestVoidsCreditNote(DocumentCase):
    """The credit note that the job makes of a void is reversed by finance.

    A call costs 1.00, without a quota. January's 50 calls are invoiced on 1 February
    and voided on the 5th; the invoice of 1 March would be -50.00 + 10.00: it is a
    credit note of 40.00.
    """

    def setUp(self):
        super().setUp()
        self.charge.write({"included_quota": 0, "price_per_unit": 1.0})
        self.use(50, "2026-01-10", "a")
        self.day("2026-02-01 09:00:00")
        self.void("a", "2026-02-05 00:00:00")
        self.note = self.day("2026-03-01 09:00:00")

    def test_one_more_call_adds_what_one_call_costs(self):
        self.assertEqual(self.usage_on(self.note), -50.0)
        [back] = self.reversal(self.note, "2026-03-02 09:00:00")
        self.post(back, "2026-03-02 10:00:00")
        self.use(1, "2026-01-31", "late", now="2026-03-05 00:00:00")
        april = self.day("2026-04-01 09:00:00")
        self.assertEqual(self.usage_on(april), 1.0)

    def test_its_reversal_in_draft_changes_nothing(self):
        self.reversal(self.note, "2026-03-02 09:00:00")
        self.use(1, "2026-01-31", "late", now="2026-03-05 00:00:00")
        april = self.day("2026-04-01 09:00:00")
        self.assertEqual(self.usage_on(april), 1.0)
        self.assertEqual(self.net(), 1.0)  # 50.00 - 50.00 + 1.00
