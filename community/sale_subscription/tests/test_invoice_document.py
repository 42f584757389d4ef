from unittest.mock import patch

from odoo.tests import tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestInvoiceDocument(SubscriptionCase):
    """Customers of a plan without an email found "Proforma Invoice" on their page."""

    def setUp(self):
        super().setUp()
        self.plan.invoice_mail_template_id = False
        self._create_subscription()
        self.invoice = self._run_cron("2026-01-01")

    def _page(self, invoice):
        """What the portal shows, and offers as a file, while none was made yet."""
        report = self.env["ir.actions.report"].with_context(proforma_invoice=True)
        page = report._render_qweb_html("account.account_invoices", invoice.ids)[0]
        document = invoice._get_invoice_pdf_proforma()
        self.assertEqual(b"Proforma" in page, b"Proforma" in document["content"])
        self.assertEqual(b"Proforma" in page, "proforma" in document["filename"])
        return page.decode()

    def test_what_is_posted_is_the_invoice(self):
        self.assertEqual(self.invoice.state, "posted")
        self.assertFalse(self.invoice.invoice_pdf_report_id)
        page = self._page(self.invoice)
        self.assertIn(self.invoice.name, page)
        self.assertNotIn("Proforma", page)

    def test_so_is_a_credit_note(self):
        refund = self.invoice._reverse_moves()
        refund.action_post()
        page = self._page(refund)
        self.assertIn("Credit Note", page)
        self.assertNotIn("Proforma", page)

    def test_a_draft_is_not(self):
        self.invoice.button_draft()
        self.assertIn("Proforma", self._page(self.invoice))

    def test_where_the_invoice_is_an_electronic_file(self):
        """A service or a format makes it: until then the PDF is not what counts."""
        sending = self.env.registry["account.move.send"]
        for name, found in (
            ("_get_default_invoice_edi_format", "sample_xml"),
            ("_get_default_extra_edis", {"sample_service"}),
        ):
            told = patch.object(sending, name, lambda *_args, told=found: told)
            with self.subTest(name), told:
                self.assertIn("Proforma", self._page(self.invoice))

    def test_other_invoices_are_as_odoo_has_them(self):
        other = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_date": "2026-01-01",
                "invoice_line_ids": [
                    (0, 0, {"name": "Sample", "price_unit": 10, "tax_ids": False})
                ],
            }
        )
        other.action_post()
        self.assertIn("Proforma", self._page(other))
