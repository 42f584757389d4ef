from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..common import BillingCase

UNFIT = (
    {"invoice_policy": "delivery"},
    {"recurring_invoice": False},
    {"type": "consu"},
)


@tagged("post_install", "-at_install")
class TestChargeProduct(BillingCase):
    """The product of a charge stays one that usage can be billed with.

    Made non-recurring, say, it was billed once and never again, and nothing told.
    """

    def _assert_refused(self, record, values):
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            record.write(values)
        self.assertIn(self.charge.name, str(caught.exception))
        self.assertIn(self.usage_product.display_name, str(caught.exception))

    def test_by_template_and_by_variant(self):
        for record in (self.usage_product.product_tmpl_id, self.usage_product):
            for values in UNFIT:
                with self.subTest(record._name, values=values):
                    self._assert_refused(record, values)

    def test_by_import(self):
        """Odoo's import writes, too, and shows the message."""
        self.env["ir.model.data"].create(
            {
                "module": "__import__",
                "name": "usage_product",
                "model": "product.template",
                "res_id": self.usage_product.product_tmpl_id.id,
            }
        )
        result = self.env["product.template"].load(
            ["id", "recurring_invoice"], [["__import__.usage_product", "0"]]
        )
        self.assertFalse(result["ids"])
        self.assertIn(self.charge.name, result["messages"][0]["message"])
        self.assertTrue(self.usage_product.recurring_invoice)

    def test_a_product_among_several(self):
        templates = (self.base_product | self.usage_product).product_tmpl_id
        self._assert_refused(templates, {"recurring_invoice": False})

    def test_other_products_are_free(self):
        for values in UNFIT:
            with self.subTest(values=values):
                self._create_product(name="Free").write(values)

    def test_other_fields_are_free(self):
        self.usage_product.write(
            {"name": "Calls", "list_price": 3.0, "type": "service"}
        )
        self.assertEqual(self.usage_product.name, "Calls")

    def test_archived_charge_without_ratings(self):
        """Nothing will be billed with it; it cannot come back until that is mended."""
        self.charge.active = False
        self.usage_product.recurring_invoice = False
        with self.assertRaisesRegex(UserError, "cannot be used for usage"):
            self.charge.active = True
        self.usage_product.recurring_invoice = True
        self.charge.active = True

    def test_archived_charge_that_was_rated(self):
        """Late usage of its windows is billed with it still."""
        self._record(110)
        self.order._fc_rate_usage()
        self.charge.active = False
        self._assert_refused(self.usage_product, {"recurring_invoice": False})

    def test_charge_takes_another_product(self):
        """Then the first one is free, where it has not been rated with."""
        product = self._create_product(name="Calls")
        self.charge.product_id = product
        self.usage_product.recurring_invoice = False
        with self.assertRaisesRegex(UserError, "is used for the usage"):
            product.recurring_invoice = False

    def test_charge_of_another_company_is_not_named(self):
        company = self.env["res.company"].create({"name": "Secret Company"})
        plan = self._create_plan(name="Secret Plan")
        charge = self._create_charge(
            plan_id=plan.id,
            company_id=company.id,
            currency_id=company.currency_id.id,
            product_id=self.base_product.id,
        )
        user = new_test_user(
            self.env,
            "fcb-seller",
            "sales_team.group_sale_manager,product.group_product_manager",
        )
        with self.assertRaisesRegex(UserError, "another company") as caught:
            self.base_product.with_user(user).recurring_invoice = False
        self.assertNotIn(charge.name, str(caught.exception))

    def test_archived_product_goes_on_billing(self):
        """Archived is what is not to be sold anew; what runs goes on."""
        self.usage_product.product_tmpl_id.active = False
        self._record(110)
        with freeze_time("2026-02-01"):
            invoice = self.order._create_invoices()
        self.assertEqual(invoice.amount_untaxed, 15.0)
        self.assertEqual(
            invoice.invoice_line_ids.filtered("fc_rating_ids").product_id,
            self.usage_product,
        )
