from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .portal_common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalAccess(PortalCase):
    def _open(self, **params):
        return self.url_open(self.url, params=params, allow_redirects=False)

    def assertShown(self, response):
        self.assertEqual(response.status_code, 200)
        self.assertIn(self.order.name, response.text)

    def test_own_one(self):
        self._sign_in(self.ann)
        self.assertShown(self._open())

    def test_foreign_one(self):
        self._sign_in(self.bob)
        self.assertLeadsTo(self._open(), "/my")

    def test_foreign_one_with_its_token(self):
        self._sign_in(self.bob)
        self.assertShown(self._open(access_token=self.token))

    def test_token_without_signing_in(self):
        self._sign_in(None)
        self.assertShown(self._open(access_token=self.token))

    def test_no_or_wrong_token_without_signing_in(self):
        other = self._create_invoiced(partner_id=self.bob.partner_id.id)
        self._sign_in(None)
        for token in ("", "wrong", other._portal_ensure_token()):
            self.assertLeadsTo(self._open(access_token=token), "/my")

    def test_no_such_order(self):
        self._sign_in(self.ann)
        for order_id in (self.order.id + 1000000, 10**12):
            response = self.url_open(
                f"/my/subscriptions/{order_id}", allow_redirects=False
            )
            self.assertLeadsTo(response, "/my")

    def test_order_of_another_company(self):
        """Ann may not look into companies that are not hers, as with all orders."""
        company = self.env["res.company"].create({"name": "Sister company"})
        order = (
            self.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": self.partner.id,
                    "company_id": company.id,
                    "plan_id": self.plan.id,
                    "order_line": [Command.create({"product_id": self.fee.id})],
                }
            )
        )
        order.action_confirm()
        self._sign_in(self.ann)
        response = self.url_open(f"/my/subscriptions/{order.id}", allow_redirects=False)
        self.assertLeadsTo(response, "/my")
        self.assertNotIn(order.name, self._get("/my/subscriptions").text)

    def test_quotations_and_upsells_have_their_own_page(self):
        self._sign_in(self.ann)
        quotation = self._create_quotation()
        renewal = self.order._create_upsell_renew_order("2_renewal")
        upsell = self.order._create_upsell_renew_order("7_upsell")
        upsell.order_line.product_uom_qty = 1
        upsell.action_confirm()
        once = self._create_quotation(self.setup_fee, plan_id=False)
        for order in (quotation, renewal, upsell, once):
            response = self.url_open(
                f"/my/subscriptions/{order.id}", allow_redirects=False
            )
            self.assertLeadsTo(response, f"/my/orders/{order.id}")

    def test_token_goes_along_to_that_page(self):
        quotation = self._create_quotation()
        token = quotation._portal_ensure_token()
        self._sign_in(None)
        response = self.url_open(
            f"/my/subscriptions/{quotation.id}?access_token={token}"
        )
        self.assertIn(f"/my/orders/{quotation.id}?access_token={token}", response.url)
        self.assertIn(quotation.name, response.text)

    def test_token_of_an_upsell_is_not_that_of_the_subscription(self):
        upsell = self.order._create_upsell_renew_order("7_upsell")
        self._sign_in(None)
        page = self._get(
            f"/my/orders/{upsell.id}", access_token=upsell._portal_ensure_token()
        )
        self.assertIn(self.order.name, page.text)
        self.assertNotIn(self.token, page.text)
        self.assertNotIn(self.url, page.text)

    def test_token_of_what_was_renewed_is_not_that_of_the_renewal(self):
        renewal = self.order._create_upsell_renew_order("2_renewal")
        renewal.action_confirm()
        self._sign_in(None)
        page = self._open(access_token=self.token)
        self.assertIn(renewal.name, page.text)
        self.assertNotIn(renewal._portal_ensure_token(), page.text)

    def test_staff_who_may_only_read_cannot_act(self):
        reader = new_test_user(
            self.env, "reader_portal", "account.group_account_readonly"
        )
        self._sign_in(reader)
        self.assertTrue(self.order.with_user(reader).has_access("read"))
        self.assertFalse(self.order.with_user(reader).has_access("write"))
        self.assertShown(self._open())
        for data in ({}, {"access_token": self.token}):
            data["close_reason_id"] = self.reason.id
            self.assertLeadsTo(self._post("close", data), "/my")
            self.assertEqual(self.order.subscription_state, "3_progress")

    def test_salesperson_sees_it_and_may_close_for_the_customer(self):
        seller = new_test_user(
            self.env, "seller_portal", "sales_team.group_sale_manager"
        )
        self._sign_in(seller)
        self.assertIn("Back to edit mode", self._open().text)
        self._post("close", {"close_reason_id": self.reason.id})
        self.assertEqual(self.order.subscription_state, "6_churn")
