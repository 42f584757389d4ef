from odoo.fields import Command
from odoo.tests import tagged

from .case import PlantedCase

LINE = "UPDATE account_move_line SET"


@tagged("post_install", "-at_install")
class TestPlantedInDocuments(PlantedCase):
    """Invoices, journal items and what apps were told, changed behind Odoo's back."""

    def test_invoice_lines(self):
        line = f"WHERE id = {self.line.id}"
        rel = f"sale_order_line_invoice_rel WHERE invoice_line_id = {self.line.id}"
        self._assert_each_named(
            [
                (
                    "a price",
                    f"{LINE} price_unit = 26 {line}",
                    "I6 line_amount",
                    "I6 item_subtotal",
                    "I4 item_changed",
                    "oracle",
                ),
                (
                    "a discount",
                    f"{LINE} discount = 10 {line}",
                    "I6 line_amount",
                    "I4 item_changed",
                    "oracle",
                ),
                (
                    "a price with all that follows from it",
                    f"{LINE} price_unit = 26, price_subtotal = 26, price_total = 26,"
                    f" amount_currency = -26, balance = -26, credit = 26 {line}",
                    "I6 line_amount",
                    "I4 item_changed",
                    "oracle",
                ),
                (
                    "the link of a rating to its line",
                    "UPDATE fusion_billing_rating SET invoice_line_id = NULL"
                    f" WHERE id = {self.january.id}",
                    "I3 line_without_rating",
                    "I6 billed_nowhere",
                    "oracle",
                ),
                (
                    "the link of a rating to its invoice",
                    "UPDATE fusion_billing_rating SET invoice_id = NULL"
                    f" WHERE id = {self.january.id}",
                    "I6 billed_nowhere",
                    "oracle",
                ),
                (
                    "the link of a line to its order",
                    f"DELETE FROM {rel}",
                    "I9 other_order",
                ),
                (
                    "the invoice is cancelled",
                    "UPDATE account_move SET state = 'cancel'"
                    f" WHERE id = {self.invoice.id}",
                    "I6 billed_nowhere",
                    "I10 invoice_not_told",
                    "oracle",
                ),
            ]
        )

    def test_journal_items(self):
        """Of the line itself: what it shows as a line of the invoice is untouched."""
        line = f"WHERE id = {self.line.id}"
        income = self.line.account_id.copy({"name": "Other income", "code": "499998"})
        receivable = self.env["account.account"].create(
            {
                "name": "Other receivable",
                "code": "499999",
                "account_type": "asset_receivable",
                "reconcile": True,
            }
        )
        currency = self.env["res.currency"].create({"name": "XTA", "symbol": "x"})
        self._assert_each_named(
            [
                (
                    "its balance",
                    f"{LINE} balance = -20, credit = 20 {line}",
                    "I6 item_balance",
                    "I4 item_changed",
                    "oracle",
                ),
                (
                    "its amount in the currency",
                    f"{LINE} amount_currency = -20 {line}",
                    "I6 item_amount",
                    "I4 item_changed",
                    "oracle",
                ),
                (
                    "its subtotal",
                    f"{LINE} price_subtotal = 20 {line}",
                    "I6 item_subtotal",
                    "I6 item_amount",
                    "oracle",
                ),
                (
                    "its account",
                    f"{LINE} account_id = {income.id} {line}",
                    "I4 item_changed",
                ),
                (
                    "an account that is none of revenue",
                    f"{LINE} account_id = {receivable.id} {line}",
                    "I4 item_changed",
                    "I6 item_account",
                    "oracle",
                ),
                (
                    "its currency",
                    f"{LINE} currency_id = {currency.id} {line}",
                    "I4 item_changed",
                    "I9 other_currency",
                    "oracle",
                ),
            ]
        )

    def test_an_account_that_an_accountant_chooses(self):
        income = self.line.account_id.copy({"name": "Other income", "code": "499998"})
        self.line.account_id = income
        self._assert_clean()

    def test_other_companies_customers_and_orders(self):
        partner = self.env["res.partner"].create({"name": "Somebody Else"})
        company = self.env["res.company"].create({"name": "Another Company"})
        other = self.subscribe("2026-02-01")
        self.day("2026-02-12 10:00:00")
        copy = self.invoice.copy()
        billed = f"WHERE id = {self.january.id}"
        self._assert_each_named(
            [
                (
                    "a rating of another company",
                    f"UPDATE fusion_billing_rating SET company_id = {company.id}"
                    f" {billed}",
                    "I9 other_company",
                ),
                (
                    "the invoice of another customer",
                    f"UPDATE account_move SET commercial_partner_id = {partner.id}"
                    f" WHERE id = {self.invoice.id}",
                    "I9 other_customer",
                ),
                (
                    "a rating on another invoice",
                    f"UPDATE fusion_billing_rating SET invoice_id = {copy.id} {billed}",
                    "I9 other_invoice",
                    "oracle",
                ),
                (
                    "a line of another order",
                    "UPDATE sale_order_line_invoice_rel SET order_line_id ="
                    f" {other.order_line[0].id} WHERE invoice_line_id = {self.line.id}",
                    "I9 other_order",
                ),
            ]
        )

    # -- credit notes ----------------------------------------------------------

    def _forgive(self, amount):
        """Credit part of January, not to be billed again."""
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        )
        wizard.create({"journal_id": self.invoice.journal_id.id}).refund_moves()
        credit = self.invoice.reversal_move_ids
        credit.fc_bill_again = False
        line = credit.invoice_line_ids.filtered("fc_copied_from_id")
        line = line.filtered(lambda x: x.product_id == self.usage_product)
        (credit.invoice_line_ids - line).unlink()
        line.price_unit = amount
        credit.action_post()
        self.rate()
        return credit, line

    def test_what_finance_has_forgiven(self):
        credit, line = self._forgive(5.0)
        adjustment = self.env["fusion.billing.adjustment"].search(
            [("rating_id", "=", self.january.id)]
        )
        self.assertEqual(adjustment.forgiven, 5.0)
        one = f"WHERE id = {adjustment.id}"
        self._assert_each_named(
            [
                (
                    "deleted",
                    f"DELETE FROM fusion_billing_adjustment {one}",
                    "I6 line_amount",
                    "oracle",
                ),
                (
                    "another amount",
                    f"UPDATE fusion_billing_adjustment SET forgiven = 6 {one}",
                    "I6 line_amount",
                    "oracle",
                ),
                (
                    "of another window",
                    "UPDATE fusion_billing_adjustment SET agreement_id ="
                    f" {self.february.agreement_id.id} {one}",
                    "I9 other_window",
                    "I6 amount",
                    "oracle",
                ),
                (
                    "as if it counted no more",
                    "UPDATE fusion_billing_adjustment SET ended_by_id ="
                    f" {self.january.id} {one}",
                    "I6 amount",
                    "oracle",
                ),
                (
                    "another price on the credit note",
                    f"{LINE} price_unit = 7 WHERE id = {line.id}",
                    "I6 line_amount",
                    "I4 item_changed",
                    "oracle",
                ),
                (
                    "the balance of the credit note",
                    f"{LINE} balance = 4, debit = 4 WHERE id = {line.id}",
                    "I6 item_balance",
                    "I4 item_changed",
                    "oracle",
                ),
                (
                    "the link of the credit note to what it credits",
                    f"{LINE} fc_copied_from_id = NULL WHERE id = {line.id}",
                    "I6 line_amount",
                    "I3 charged_by_hand",
                    "oracle",
                ),
                (
                    "the credit note is cancelled",
                    f"UPDATE account_move SET state = 'cancel' WHERE id = {credit.id}",
                    "I6 line_amount",
                    "oracle",
                ),
            ]
        )

    def test_what_is_to_be_billed_again(self):
        credit = self.credit(self.invoice)
        self.day("2026-02-12 11:00:00")
        self.assertEqual(self.january.state, "released")
        self._assert_each_named(
            [
                (
                    "counts as billed",
                    "UPDATE fusion_billing_rating SET state = 'invoiced'"
                    f" WHERE id = {self.january.id}",
                    "I3 credited_but_counted",
                    "oracle",
                ),
                (
                    "the credit note is cancelled",
                    f"UPDATE account_move SET state = 'cancel' WHERE id = {credit.id}",
                    "I3 released_but_posted",
                    "oracle",
                ),
            ]
        )

    # -- by hand ---------------------------------------------------------------

    def test_charges_by_hand_are_noted(self):
        """The customer may pay twice, until somebody says that it is meant."""
        copy = self.invoice.copy({"invoice_date": "2026-02-12"})
        copy.action_post()
        by_hand = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_line_ids": [
                    Command.create(
                        {"product_id": self.usage_product.id, "price_unit": 3.0}
                    )
                ],
            }
        )
        by_hand.action_post()
        audit = self._audit()
        self.assertEqual((audit.state, audit.violation_count), ("violations", 2))
        found = audit.finding_ids.sorted("id")
        self.assertEqual({*found.mapped("kind")}, {"charged_by_hand"})
        self.assertEqual(found.move_id, copy | by_hand)
        self.assertEqual(sorted(found.mapped("found")), ["25.00", "3.00"])
        found.move_id.fc_by_hand = True
        audit = self._assert_clean()
        self.assertEqual(audit.violation_count, 0)
        self.assertEqual({*audit.finding_ids.mapped("kind")}, {"confirmed_by_hand"})

    # -- I10 -------------------------------------------------------------------

    def _told(self, event_type):
        """The latest outbox row of a type."""
        return self.env["fusion.billing.webhook"].search(
            [("event_type", "=", event_type)], limit=1
        )

    def test_what_apps_were_told(self):
        closed, posted = self._told("rating.closed"), self._told("invoice.posted")
        extra = "UPDATE fusion_billing_webhook SET payload = replace(payload, %s, %s)"
        self._assert_each_named(
            [
                (
                    "a rating, not at all",
                    f"DELETE FROM fusion_billing_webhook WHERE id = {closed.id}",
                    "I10 rating_not_told",
                ),
                (
                    "a rating, twice",
                    self._copy_row(
                        "fusion_billing_webhook", closed, event_id="'evt_copy'"
                    ),
                    "I10 rating_not_told",
                ),
                (
                    "of a revision that is none",
                    extra % ("'\"revision\":0'", "'\"revision\":7'")
                    + f" WHERE id = {closed.id}",
                    "I10 told_of_nothing",
                    "I10 rating_not_told",
                ),
                (
                    "an invoice, not at all",
                    f"DELETE FROM fusion_billing_webhook WHERE id = {posted.id}",
                    "I10 invoice_not_told",
                ),
                (
                    "another state",
                    "UPDATE sale_order SET subscription_state = '6_churn'"
                    f" WHERE id = {self.order.id}",
                    "I10 subscription_not_told",
                ),
            ]
        )

    def test_a_type_of_event_that_the_app_has_not_chosen(self):
        Type = self.env["fusion.billing.webhook.type"]
        left_out = ("rating.closed", "invoice.posted")
        self._sql(
            "DELETE FROM fusion_billing_webhook WHERE event_type = ANY(%s)",
            list(left_out),
        )
        self.service.webhook_type_ids = Type.search([("code", "not in", left_out)])
        since = "UPDATE fusion_billing_webhook_endpoint SET webhook_types_since = "
        self._sql(since + "NULL")
        self._assert_clean()
        self.service.webhook_type_ids = False
        self._sql(since + "'2100-01-01'")
        self._assert_clean()  # what happens from then on is told
        self._sql(since + "NULL")
        self.assertEqual(
            {*self._findings().mapped("kind")}, {"rating_not_told", "invoice_not_told"}
        )

    def test_what_was_deleted_after_its_time_is_no_violation(self):
        rows = self.env["fusion.billing.webhook"].search(
            [("event_type", "=", "rating.closed")]
        )
        rows.write({"state": "sent", "sent_at": "2000-01-01 00:00:00"})
        self.env.flush_all()
        self.env["fusion.billing.webhook"]._prune()
        self.assertFalse(rows.exists())
        self.assertTrue(self._findings())  # they are younger than what may be deleted
        self.env["ir.config_parameter"].set_param(
            "fusion_centralized_billing.webhooks_kept_since", "2100-01-01 00:00:00"
        )
        self._assert_clean()
