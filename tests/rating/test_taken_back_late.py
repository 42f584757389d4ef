from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .life_documents import DocumentCase

# The rating job saw the void, and the invoice of February was made.
MONTH_LATER = "2026-02-07 09:00:00", "2026-03-01 09:00:00"


@tagged("post_install", "-at_install")
class TestTakenBackLate(DocumentCase):
    """An invoice or credit note is taken back and comes back; usage changed meanwhile.

    January has 150 and 50 calls: 100 above the quota, 50.00, invoiced on 1 February.
    """

    def setUp(self):
        super().setUp()
        self.use(150, "2026-01-10", "a")
        self.use(50, "2026-01-11", "b")
        self.invoice = self.day("2026-02-01 09:00:00")

    def _void_all(self):
        self.void("a", "2026-02-06 09:00:00")
        self.void("b", "2026-02-06 09:00:00")

    def _cancelled_and_posted_after_all(self, meanwhile, days=("2026-02-07 09:00:00",)):
        """The jobs run on ``days`` before the invoice comes back."""
        self.undo(self.invoice, "2026-02-05 09:00:00")
        meanwhile()
        self.days(*days)
        self.at(f"{days[-1][:10]} 12:00:00", self.invoice.button_draft)
        self.post(self.invoice, f"{days[-1][:10]} 13:00:00")
        self._two_months_later(days)

    def _credited_and_taken_back(
        self, meanwhile, days=("2026-02-07 09:00:00",), again=True
    ):
        note = self.credit(self.invoice, "2026-02-05 09:00:00", again=again)
        meanwhile()
        self.days(*days)
        self.undo(note, f"{days[-1][:10]} 12:00:00")
        self._two_months_later(days)

    def _two_months_later(self, days):
        later = ("2026-03-01", "2026-03-20", "2026-04-01", "2026-05-01")
        self.days(*(f"{day} 09:00:00" for day in later if day > days[-1][:10]))

    # -- the invoice -------------------------------------------------------------

    def test_a_cancelled_invoice_is_posted_after_all_and_its_usage_was_voided(self):
        """Nobody used anything: the customer gets his 50.00 back with the next one."""
        self._cancelled_and_posted_after_all(self._void_all, MONTH_LATER)
        self.assertEqual(self.net(), 0.0)  # 50.00 - 50.00

    def test_the_same_before_the_next_invoice(self):
        self._cancelled_and_posted_after_all(self._void_all)
        self.assertEqual(self.net(), 0.0)

    def test_a_cancelled_invoice_is_posted_after_all_and_a_part_was_voided(self):
        self._cancelled_and_posted_after_all(
            lambda: self.void("b", "2026-02-06 09:00:00")
        )
        # 150 - 100 = 50 x 0.50 = 25.00: 50.00 - 25.00
        self.assertEqual(self.net(), 25.0)

    def test_a_cancelled_invoice_is_posted_after_all_and_a_call_came_late(self):
        self._cancelled_and_posted_after_all(
            lambda: self.use(1, "2026-01-31", "c", now="2026-02-06 09:00:00")
        )
        self.assertEqual(self.net(), 50.5)  # 50.00 + 0.50

    def test_voided_before_it_was_cancelled(self):
        self._void_all()
        self._cancelled_and_posted_after_all(lambda: None)
        self.assertEqual(self.net(), 0.0)

    def test_it_stays_cancelled_and_its_usage_was_voided(self):
        self.undo(self.invoice, "2026-02-05 09:00:00")
        self._void_all()
        self.days("2026-02-07 09:00:00", "2026-03-01 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_it_comes_back_after_a_closing(self):
        """Closed on 10 February; the void is credited by the rating job."""
        self.undo(self.invoice, "2026-02-05 09:00:00")
        self._void_all()
        self.at("2026-02-10 09:00:00", self.order.set_close)
        self.at("2026-02-11 09:00:00", self.invoice.button_draft)
        self.post(self.invoice, "2026-02-11 10:00:00")
        self.days("2026-02-12 09:00:00", "2026-02-13 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_it_comes_back_after_its_replacement_was_cancelled(self):
        """Closed; cancelled, billed anew by finance, that cancelled, the first posted.

        January is on a bill again, so that 10 late calls are billed without finance.
        """
        self.at("2026-02-05 09:00:00", self.order.set_close)
        self.undo(self.invoice, "2026-02-06 09:00:00")
        before = self.order.invoice_ids
        self.at("2026-02-06 10:00:00", self.order.action_fc_invoice_open_usage)
        self.undo(self.order.invoice_ids - before, "2026-02-06 11:00:00")
        self.at("2026-02-06 12:00:00", self.invoice.button_draft)
        self.post(self.invoice, "2026-02-06 13:00:00")
        self.use(10, "2026-01-20", "late", now="2026-02-07 08:00:00")
        self.days("2026-02-07 09:00:00", "2026-02-08 09:00:00")
        self.assertEqual(self.net(), 55.0)  # 50.00 + 10 x 0.50

    # -- the credit note ---------------------------------------------------------

    def test_a_credit_note_is_taken_back_and_its_usage_was_voided(self):
        self._credited_and_taken_back(self._void_all, MONTH_LATER)
        self.assertEqual(self.net(), 0.0)  # 50.00 - 50.00

    def test_an_invoice_that_was_credited_is_taken_back_after_its_credit_note(self):
        """20.00 of 50.00 are credited. Without their invoice they gave back 20.00 more:
        the next one bills 50.00 again.
        """
        for again in (True, False):
            note = self.credit(self.invoice, "2026-02-05 09:00:00", 20.0, again=again)
            with self.assertRaisesRegex(UserError, note.name):
                self.undo(self.invoice, "2026-02-06 09:00:00")
            self.undo(note, "2026-02-06 10:00:00")
        self.undo(self.invoice, "2026-02-06 11:00:00")
        self.days("2026-02-07 09:00:00", "2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)

    def test_a_credit_note_that_was_reversed_is_taken_back_after_its_reversal(self):
        """50.00, credited, and the credit note reversed: 50.00. The reversal alone
        would be a second bill.
        """
        note = self.credit(self.invoice, "2026-02-05 09:00:00")
        back = self.reversal(note, "2026-02-06 09:00:00")
        self.post(back, "2026-02-06 09:00:00")
        with self.assertRaisesRegex(UserError, back.name):
            self.undo(note, "2026-02-07 09:00:00")
        self.undo(back, "2026-02-07 10:00:00")
        self.undo(note, "2026-02-07 11:00:00")
        self.days("2026-02-08 09:00:00", "2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)

    def test_a_credit_note_is_taken_back_before_the_next_invoice(self):
        self._credited_and_taken_back(self._void_all)
        self.assertEqual(self.net(), 0.0)

    def test_a_credit_note_is_taken_back_and_a_part_was_voided(self):
        self._credited_and_taken_back(lambda: self.void("b", "2026-02-06 09:00:00"))
        self.assertEqual(self.net(), 25.0)

    def test_a_credit_note_is_taken_back_and_a_call_came_late(self):
        self._credited_and_taken_back(
            lambda: self.use(1, "2026-01-31", "c", now="2026-02-06 09:00:00")
        )
        self.assertEqual(self.net(), 50.5)

    def test_a_forgiving_credit_note_is_taken_back_and_its_usage_was_voided(self):
        """While it stood the void used up what was forgiven; now it is credited."""
        self._credited_and_taken_back(self._void_all, MONTH_LATER, again=False)
        self.assertEqual(self.net(), 0.0)


@tagged("post_install", "-at_install")
class TestTakenBackLateOfOtherModels(DocumentCase):
    """The same with prices that are not so much a call."""

    def _all_voided_while_cancelled(self, **charge):
        self.charge.write(charge)
        self.use(1500, "2026-01-10", "a")
        invoice = self.day("2026-02-01 09:00:00")
        billed = self.net()
        self.undo(invoice, "2026-02-05 09:00:00")
        self.void("a", "2026-02-06 09:00:00")
        self.days(*MONTH_LATER)
        self.at("2026-03-02 09:00:00", invoice.button_draft)
        self.post(invoice, "2026-03-02 10:00:00")
        self.days("2026-03-20 09:00:00", "2026-04-01 09:00:00", "2026-05-01 09:00:00")
        return billed

    def test_whole_batches(self):
        billed = self._all_voided_while_cancelled(
            charge_model="package",
            included_quota=1000,
            unit_batch=300,
            price_per_unit=2.0,
        )
        self.assertEqual(billed, 4.0)  # 500 above the quota: 2 batches begun
        self.assertEqual(self.net(), 0.0)

    def test_tiers(self):
        """100 at 1.00, then 0.50: the quota of 100 taken off, 1400 are billable."""
        tiers = [
            Command.create({"up_to": 100, "price_per_unit": 1.0}),
            Command.create({"up_to": 0, "price_per_unit": 0.5}),
        ]
        billed = self._all_voided_while_cancelled(
            charge_model="graduated", tier_ids=tiers
        )
        self.assertEqual(billed, 750.0)  # 100 x 1.00 + 1300 x 0.50
        self.assertEqual(self.net(), 0.0)


@tagged("post_install", "-at_install")
class TestLeftToFinance(DocumentCase):
    """What was given back of an ended one is left to finance, and nothing beside it.

    January has 200 calls, 50.00; a task costs 2.00. The calls were credited, to be
    billed again, and the subscription was renewed from March on. Then three tasks of
    January came late.
    """

    def setUp(self):
        super().setUp()
        tasks = self._create_metric(name="Tasks", code="tasks", unit_name="tasks")
        self.task_product = self._create_product(name="Tasks")
        self._create_charge(
            metric_id=tasks.id,
            product_id=self.task_product.id,
            included_quota=0,
            price_per_unit=2.0,
        )
        self.use(200, "2026-01-10", "a")
        invoice = self.day("2026-02-01 09:00:00")
        self.credit(invoice, "2026-02-05 09:00:00", again=True)
        renewal = self.env["sale.order"].browse(
            self.order.prepare_renewal_order()["res_id"]
        )
        self.at("2026-02-10 09:00:00", renewal.action_confirm)
        now = "2026-02-11 09:00:00"
        self.use(3, "2026-01-20", "b", now=now, metric=tasks)

    def amounts(self):
        calls, tasks = self.net(), self.net(product=self.task_product)
        return calls, tasks, self.order.fc_has_open_usage

    def test_late_usage_of_another_metric_is_billed(self):
        """It waited with the calls: for somebody who looks at a subscription."""
        self.days("2026-02-12 09:00:00", "2026-02-13 09:00:00")
        self.assertEqual(self.amounts(), (0.0, 6.0, True))
        self.at("2026-02-14 09:00:00", self.order.action_fc_invoice_open_usage)
        self.assertEqual(self.amounts(), (50.0, 6.0, False))

    def test_finance_bills_all_of_it(self):
        self.at("2026-02-11 10:00:00", self.order.action_fc_invoice_open_usage)
        self.days("2026-02-12 09:00:00")
        self.assertEqual(self.amounts(), (50.0, 6.0, False))
