from odoo.tests import HttpCase, new_test_user
from odoo.tools import mute_logger

from odoo.addons.sale_subscription.tests.payment_common import PaymentCase


class ShopCase(PaymentCase, HttpCase):
    """A shop: "Crate" is 10.00 a month or 100.00 a year, "Mug" is sold once, for 5.00.

    There is a customer, "sam", who may save payment methods of the demo provider.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What is refused is logged as a warning, and most tests are refused something.
        muted = mute_logger("odoo.http")
        muted.__enter__()
        cls.addClassCleanup(muted.__exit__, None, None, None)
        website = cls.env["website"]
        cls.website = website.search([("company_id", "=", cls.company.id)], limit=1)
        cls.website.write(
            {
                "account_on_checkout": "optional",
                "prevent_zero_price_sale": False,
                "show_line_subtotals_tax_selection": "tax_excluded",
            }
        )
        # Prices of other modules' sample data stay out of it.
        cls.env["product.pricelist"].search([]).action_archive()
        cls.month = cls._create_plan(name="Monthly", sequence=1)
        cls.year = cls._create_plan(
            name="Yearly", sequence=2, billing_period_unit="year"
        )
        cls.crate = cls._create_shop_product("Crate", list_price=77.0)
        cls._price(cls.crate, cls.month, 10.0)
        cls._price(cls.crate, cls.year, 100.0)
        cls.mug = cls._create_shop_product(
            "Mug", list_price=5.0, recurring_invoice=False
        )
        cls.provider.write({"is_published": True, "allow_tokenization": True})
        cls.method.write({"active": True, "support_tokenization": True})
        cls.sam = cls._create_customer("sam")
        cls.orders_before = cls.env["sale.order"].search([])

    @classmethod
    def _create_shop_product(cls, name, **values):
        return cls._create_product(name=name, is_published=True, **values)

    @classmethod
    def _create_customer(cls, login):
        """A portal user with an address that the checkout has no question about."""
        user = new_test_user(
            cls.env, login, "base.group_portal", password=login, name=login.title()
        )
        user.partner_id.write(
            {
                "email": f"{login}@example.com",
                "phone": "+1 555 0100",
                "street": "Sample Street 1",
                "city": "Sample City",
                "zip": "12345",
                "country_id": cls.env.ref("base.us").id,
                "state_id": cls.env.ref("base.state_us_5").id,
            }
        )
        return user

    @classmethod
    def _price(cls, product, plan, price, **values):
        """The price of a product per period of a plan."""
        return cls.env["product.pricelist.item"].create(
            {
                "plan_id": plan.id,
                "product_tmpl_id": product.product_tmpl_id.id,
                "applied_on": "1_product",
                "compute_price": "fixed",
                "fixed_price": price,
                **values,
            }
        )

    # === WHAT A BROWSER DOES ===

    def _add(self, product, quantity=1, **values):
        """Put a product into the cart, as the pages of the shop do."""
        return self.make_jsonrpc_request(
            "/shop/cart/add",
            {
                "product_template_id": product.product_tmpl_id.id,
                "product_id": product.id,
                "quantity": quantity,
                **values,
            },
        )

    def _add_on(self, plan, product=None, quantity=1):
        return self._add(product or self.crate, quantity, plan_id=plan.id)

    def _update(self, line, quantity, **values):
        return self.make_jsonrpc_request(
            "/shop/cart/update", {"line_id": line.id, "quantity": quantity, **values}
        )

    def _refusal(self, route, **params):
        """Call a route that refuses; return what it says."""
        answer = self.url_open(route, json={"jsonrpc": "2.0", "params": params}).json()
        self.assertIn("error", answer)
        return answer["error"]["data"]["message"]

    @property
    def cart(self):
        """The newest order of the shop in this test."""
        domain = [
            ("website_id", "=", self.website.id),
            ("id", "not in", self.orders_before.ids),
        ]
        return self.env["sale.order"].search(domain, order="id desc", limit=1)

    def assertCart(self, plan, *lines):
        """Check the plan and the lines: (product, quantity, unit price, recurring)."""
        cart = self.cart
        self.assertEqual(cart.plan_id, plan or self.month.browse())
        found = [
            (
                line.product_id,
                line.product_uom_qty,
                line.price_unit,
                line.recurring_invoice,
            )
            for line in cart.order_line.sorted("id")
        ]
        self.assertEqual(found, list(lines))

    def assertRefused(self, result, text):
        """Check that nothing was added, and why."""
        self.assertFalse(result["quantity"], result)
        self.assertIn(text, result["notification_info"]["warning"])
