from datetime import date

from freezegun import freeze_time

from odoo.tests import HttpCase, new_test_user, tagged

from ..common import BillingCase

# The smallest picture there is, as a signature.
SIGNATURE = (
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9aw"
    b"AAAABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestOrderPrices(BillingCase, HttpCase):
    """A quotation of a plan with a quota of 100 calls, 0.50 each above."""

    def setUp(self):
        super().setUp()
        self.startPatcher(freeze_time("2026-02-10"))
        self.quotation = self._create_order()

    def _text(self, order):
        return str(order.fc_prices_html)

    def _version(self):
        version = self.charge._new_version(date(2026, 4, 1))
        version.price_per_unit = 0.75
        return version

    def test_a_seller_sees_them_without_billing_rights(self):
        seller = new_test_user(
            self.env, "price-seller", "sales_team.group_sale_salesman_all_leads"
        )
        self.assertFalse(self.charge.with_user(seller).has_access("read"))
        text = self._text(self.quotation.with_user(seller))
        self.assertIn("API calls", text)
        self.assertIn("100 calls", text)
        self.assertIn("0.5 USD each", text)

    def test_the_charges_are_those_of_the_open_window_and_to_come(self):
        old = self._create_charge(
            metric_id=self._create_metric(code="old").id, date_end="2026-01-31"
        )
        version = self._version()
        self.assertEqual(self.quotation.fc_charge_ids, self.charge | version)
        self.assertEqual(self.order.fc_charge_ids, self.charge | version | old)

    def test_what_is_no_subscription_has_none(self):
        self.base_product.recurring_invoice = False
        once = self._create_order(plan_id=False)
        self.assertFalse(once.fc_charge_ids)
        self.assertFalse(once._fc_shown_prices())
        once.action_confirm()
        self.assertFalse(once.fc_signed_prices_at)

    def test_a_confirmed_order_keeps_what_was_agreed(self):
        self.quotation.action_confirm()
        [agreed] = self.quotation.fc_signed_prices
        self.assertEqual(agreed["terms"]["unit_price"], "0.5")
        self.assertEqual(agreed["terms"]["quota"], "100")
        self.assertEqual(agreed["lines"], ["0.5 USD each"])
        self.assertFalse(self.quotation.fc_prices_changed)
        self._version()
        self.quotation.invalidate_recordset()
        self.assertTrue(self.quotation.fc_prices_changed)
        self.assertIn("0.5 USD each", str(self.quotation.fc_signed_prices_html))
        self.assertEqual(self.quotation._fc_shown_prices(), [agreed])
        self.assertFalse(self.quotation.copy().fc_signed_prices)

    def test_what_was_signed_counts_and_not_what_was_confirmed(self):
        self.quotation.write({"signature": SIGNATURE, "signed_by": "Sample Customer"})
        self.charge.price_per_unit = 0.9
        self.quotation.action_confirm()
        [agreed] = self.quotation.fc_signed_prices
        self.assertEqual(agreed["terms"]["unit_price"], "0.5")
        self.assertTrue(self.quotation.fc_prices_changed)

    def test_a_signature_that_is_taken_back_takes_the_prices_along(self):
        self.quotation.action_quotation_sent()
        self.quotation.write({"signature": SIGNATURE})
        self.quotation.action_draft()
        self.assertFalse(self.quotation.fc_signed_prices_at)
        self.charge.price_per_unit = 0.9
        self.quotation.action_confirm()
        [agreed] = self.quotation.fc_signed_prices
        self.assertEqual(agreed["terms"]["unit_price"], "0.9")

    def test_the_customer_sees_and_signs_them_in_his_portal(self):
        self.quotation.action_quotation_sent()
        self.charge.write({"charge_model": "package", "unit_batch": 1000})
        page = self.url_open(self.quotation.get_portal_url())
        self.assertIn("Usage Prices", page.text)
        self.assertIn("0.5 USD per started 1,000", page.text)
        answer = self.make_jsonrpc_request(
            f"/my/orders/{self.quotation.id}/accept",
            {
                "access_token": self.quotation.access_token,
                "name": "Sample Customer",
                "signature": SIGNATURE.decode(),
            },
        )
        self.assertTrue(answer.get("force_refresh"))
        [agreed] = self.quotation.fc_signed_prices
        self.assertEqual(agreed["lines"], ["0.5 USD per started 1,000"])

    def test_the_pdf_has_them(self):
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "sale.action_report_saleorder", self.quotation.ids
        )
        self.assertIn("0.5 USD each", html.decode())
        self.assertIn("Usage Prices", html.decode())
