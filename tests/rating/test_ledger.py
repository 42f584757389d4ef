import json

from odoo.exceptions import UserError
from odoo.tests import tagged

from .ledger_case import APRIL, FEBRUARY, MARCH, LedgerCase


@tagged("post_install", "-at_install")
class TestLateUsage(LedgerCase):
    """Windows that were invoiced are rated again as a whole, however old they are."""

    def test_usage_of_a_window_three_months_old(self):
        """Only the window invoiced last was looked at; the rest was just flagged."""
        self._record(90)
        self._invoice(FEBRUARY)
        self._record(150, "2026-02-10 00:00:00")
        self._invoice(MARCH)
        self._invoice(APRIL)
        event = self._record(30, "2026-01-20 00:00:00")
        self.assertFalse(event.unallocated)
        self._record(101, "2026-04-02 00:00:00")
        move = self._invoice()
        # January: 120 - 100 = 20 x 0.50; April: 1 x 0.50
        january, april = self._usage_lines(move)
        self.assertIn("calls: 120 from 01/01/2026 to 01/31/2026", january.name)
        self.assertEqual((january.price_subtotal, april.price_subtotal), (10.0, 0.5))
        self.assertEqual(self._open_amount(), 0.0)

    def test_windows_that_outweigh_each_other_are_told(self):
        """The line of both was 0, and so neither was on any invoice."""
        wrong = self._record(120)
        self._invoice(FEBRUARY)
        self._invoice(MARCH)
        wrong._void("sent by mistake")
        self._record(120, "2026-02-10 00:00:00")
        move = self._invoice()
        self.assertEqual(
            self._usage_lines(move).mapped("price_subtotal"), [-10.0, 10.0]
        )
        self.assertEqual(set(self.order.fc_rating_ids.mapped("state")), {"invoiced"})

    def test_a_window_without_any_usage_gets_some(self):
        self._invoice(FEBRUARY)
        self._invoice(MARCH)
        self._record(104, "2026-01-31 23:59:59")
        self.assertEqual(self._open_amount(), 2.0)


@tagged("post_install", "-at_install")
class TestCredit(LedgerCase):
    """A usage line credited in full is billed again, or forgiven."""

    def setUp(self):
        super().setUp()
        self._record(200)
        self.invoice = self._invoice(FEBRUARY)  # 100 x 0.50

    def test_what_was_credited_goes_on_the_next_invoice(self):
        credit, _none = self._reverse(self.invoice)
        self.assertEqual(credit.amount_untaxed, 60.0)
        self.assertEqual(self.order.fc_rating_ids.state, "released")
        self.assertEqual(self.order.fc_rating_ids.released_by_id, credit)
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 50.0)
        self.assertEqual(self._open_amount(), 0.0)

    def test_it_is_billed_again_at_the_price_of_then(self):
        self._reverse(self.invoice)
        self.charge.price_per_unit = 0.25
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 25.0)

    def test_what_is_forgiven_is_not_billed_again(self):
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        )
        wizard = wizard.create({"journal_id": self.invoice.journal_id.id})
        wizard.refund_moves()
        credit = self.invoice.reversal_move_ids
        self.assertTrue(credit.fc_credits_usage)
        credit.fc_bill_again = False
        credit.action_post()
        self.assertEqual(self.order.fc_rating_ids.state, "invoiced")
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 0.0)

    def test_part_of_a_line_is_a_discount(self):
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        )
        wizard = wizard.create({"journal_id": self.invoice.journal_id.id})
        wizard.refund_moves()
        credit = self.invoice.reversal_move_ids
        self._usage_lines(credit).price_unit = 20.0
        credit.action_post()
        self.assertEqual(self._open_amount(), 0.0)

    def test_a_credit_note_taken_back(self):
        credit, _none = self._reverse(self.invoice)
        credit.button_draft()
        self.assertEqual(self.order.fc_rating_ids.state, "invoiced")
        self.assertEqual(self._open_amount(), 0.0)
        credit.action_post()
        self.assertEqual(self._open_amount(), 50.0)

    def test_a_credit_note_cannot_be_taken_back_once_it_was_billed_again(self):
        credit, _none = self._reverse(self.invoice)
        self._invoice(MARCH)
        with self.assertRaisesRegex(UserError, "bill it twice"):
            credit.button_draft()

    def test_a_corrected_invoice_takes_over_what_it_bills(self):
        """The window would have been on the corrected invoice and on the next."""
        _credit, corrected = self._reverse(self.invoice, modify=True)
        self.assertEqual(self._usage_amount(corrected), 50.0)
        self.assertEqual(self._open_amount(), 0.0)
        corrected.action_post()
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 0.0)
        rows = self.order.fc_rating_ids.sorted(lambda r: (r.window_start, r.revision))
        self.assertEqual(
            rows.filtered(lambda r: r.window_start.month == 1).mapped("state"),
            ["released", "invoiced"],
        )

    def test_a_corrected_invoice_that_is_deleted_gives_it_back(self):
        _credit, corrected = self._reverse(self.invoice, modify=True)
        corrected.unlink()
        self.assertEqual(self._open_amount(), 50.0)

    def test_a_corrected_invoice_leaves_late_usage_to_the_next(self):
        self._record(10, "2026-01-30 00:00:00")
        self.assertEqual(self._open_amount(), 5.0)
        _credit, corrected = self._reverse(self.invoice, modify=True)
        corrected.action_post()
        self.assertEqual(self._open_amount(), 5.0)
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 5.0)

    def test_an_ended_subscription_is_not_billed_again_by_itself(self):
        self.order.subscription_state = "6_churn"
        self._reverse(self.invoice)
        before = self.order.invoice_ids
        self._open_amount()
        with self.enter_registry_test_mode():
            self.env.ref(
                "fusion_centralized_billing.cron_rate_usage"
            ).method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.order.invoice_ids, before)
        self.assertTrue(self.order.fc_has_open_usage)
        self.order.action_fc_invoice_open_usage()
        made = self.order.invoice_ids - before
        self.assertEqual(made.amount_untaxed, 50.0)
        self.order.invalidate_recordset()
        self.assertFalse(self.order.fc_has_open_usage)


@tagged("post_install", "-at_install")
class TestThresholds(LedgerCase):
    """80 and 100 percent of the quota of 100, each told once a window."""

    def _told(self):
        self.order._fc_rate_usage()
        webhooks = self.service.webhook_ids.filtered(
            lambda w: w.event_type == "usage.threshold_reached"
        )
        return [json.loads(w.payload)["data"] for w in webhooks.sorted("id")]

    def _shares(self):
        return [told["threshold_percent"] for told in self._told()]

    def test_each_share_is_told_once(self):
        self._record("79.9999999999")
        self.assertEqual(self._shares(), [])
        event = self._record("0.0000000001", "2026-01-11 00:00:00")
        self.assertEqual(self._shares(), [80])
        event._void("sent by mistake")
        self.assertEqual(self._shares(), [80])
        self._record(50, "2026-01-12 00:00:00")
        self.assertEqual(self._shares(), [80, 100])
        told = self._told()[-1]
        self.assertEqual(
            (told["quantity"], told["included_quota"]), ("129.9999999999", "100")
        )
        self.assertEqual(told["window_start"], "2026-01-01T00:00:00Z")

    def test_the_next_window_begins_anew(self):
        self._record(100)
        self.assertEqual(self._shares(), [80, 100])
        self._invoice(FEBRUARY)
        self._record(80, "2026-02-02 00:00:00")
        self.assertEqual(self._shares(), [80, 100, 80])

    def test_other_shares_and_none(self):
        self.service.threshold_shares = "150,50"
        self._record(100)
        self.assertEqual(self._shares(), [50])
        self.service.threshold_shares = False
        self._record(100, "2026-01-11 00:00:00")
        self.assertEqual(self._shares(), [50])

    def test_a_charge_without_quota_has_no_shares(self):
        self.charge.included_quota = 0
        self._record(100)
        self.assertEqual(self._shares(), [])
