from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ..rating.ledger_case import FEBRUARY, MARCH, LedgerCase


@tagged("post_install", "-at_install")
class TestCreditChoice(LedgerCase):
    """200 calls of January are invoiced with 50.00, and credited in full.

    Billing them again was the default, in small print: what finance had meant to give
    up was on the next invoice.
    """

    def setUp(self):
        super().setUp()
        self._record(200)
        self.invoice = self._invoice(FEBRUARY)

    def _dialog(self, choice=None):
        context = {"active_model": "account.move", "active_ids": self.invoice.ids}
        with Form(self.env["account.move.reversal"].with_context(**context)) as form:
            self.assertTrue(form.fc_credits_usage)
            if choice:
                form.fc_usage_choice = choice
        return form.record

    def _credited(self, choice=None):
        self._dialog(choice).refund_moves()
        credit = self.invoice.reversal_move_ids
        credit.action_post()
        return credit

    def test_forgiven_unless_somebody_says_otherwise(self):
        credit = self._credited()
        self.assertEqual(credit.fc_usage_choice, "forgive")
        self.assertEqual(self._open_amount(), 0.0)
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 0.0)

    def test_a_reversal_by_code_forgives_too(self):
        self.invoice._reverse_moves().action_post()
        self.assertEqual(self._open_amount(), 0.0)

    def test_an_invoice_made_before_this_was_asked(self):
        """It says "again" by the old default, and a copy of it must not."""
        self.invoice.state = "draft"
        self.invoice.fc_bill_again = True
        self.invoice.state = "posted"
        self._credited()
        self.assertEqual(self._open_amount(), 0.0)

    def test_again_at_the_price_of_then(self):
        self._credited("again_today")
        self.charge.price_per_unit = 0.25
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 25.0)

    def test_again_as_it_was_billed(self):
        self._credited("again_billed")
        self.charge.price_per_unit = 0.25
        self.assertEqual(self._open_amount(), 50.0)
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 50.0)

    def test_as_it_was_billed_then_late_usage(self):
        """All of January has its agreed price: 110 x 0.50."""
        self._credited("again_billed")
        self.charge.price_per_unit = 0.25
        self._record(10, "2026-01-20 00:00:00")
        self.assertEqual(self._usage_amount(self._invoice(MARCH)), 55.0)

    def test_the_choice_is_made_before_posting(self):
        credit = self._credited()
        with self.assertRaisesRegex(UserError, "Reset the credit note"):
            credit.fc_usage_choice = "again_today"
        credit.button_draft()
        credit.fc_usage_choice = "again_billed"
        self.assertTrue(credit.fc_bill_again and credit.fc_at_billed_price)
        credit.action_post()
        self.assertEqual(self._open_amount(), 50.0)

    def test_a_corrected_invoice_bills_it_whatever_was_chosen(self):
        self._dialog("forgive").modify_moves()
        self.assertEqual(self.invoice.reversal_move_ids.fc_usage_choice, "again_today")
        self.assertEqual(self._open_amount(), 0.0)
        [released, billed] = self.order.fc_rating_ids.sorted("revision")
        self.assertEqual((released.state, billed.state), ("released", "invoiced"))

    def test_the_credit_note_leads_to_its_ratings(self):
        credit = self._credited()
        self.assertEqual(credit.fc_rating_count, 1)
        action = credit.action_fc_view_ratings()
        ratings = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(ratings, self.invoice.fc_rating_ids)

    def test_what_bills_no_usage_is_not_asked_about(self):
        product = self._create_product(recurring_invoice=False)
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_line_ids": [
                    (0, 0, {"product_id": product.id, "price_unit": 5})
                ],
            }
        )
        move.action_post()
        context = {"active_model": "account.move", "active_ids": move.ids}
        form = Form(self.env["account.move.reversal"].with_context(**context))
        self.assertFalse(form.fc_credits_usage)
