import json
import re

from odoo.fields import Command
from odoo.tests import tagged

from .common import ShopCase


@tagged("post_install", "-at_install")
class TestShopPrices(ShopCase):
    """What the pages of the shop say a subscription costs."""

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)

    # === HELPERS ===

    def _info(self, product=None, quantity=1, **values):
        """What the page of a product is told for a variant and a quantity."""
        product = product or self.crate
        return self.make_jsonrpc_request(
            "/website_sale/get_combination_info",
            {
                "product_template_id": product.product_tmpl_id.id,
                "product_id": product.id,
                "combination": product.product_template_attribute_value_ids.ids,
                "add_qty": quantity,
                **values,
            },
        )

    def assertChoices(self, info, *expected):
        """Check (name, price, period, chosen) of what there is to choose from."""
        found = [
            (
                choice["name"],
                choice["price"],
                choice["price_period"],
                choice["is_chosen"],
            )
            for choice in info["plan_choices"]
        ]
        self.assertEqual(found, list(expected))

    def _text(self, url):
        """The words of a page, without its markup."""
        page = self.url_open(url).text
        page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
        return " ".join(re.sub(r"<[^>]*>", " ", page).replace("\xa0", " ").split())

    def _set_pricelist(self, **values):
        """The pricelist of every visitor."""
        self.env.user.group_ids += self.env.ref("product.group_product_pricelist")
        group = self.env.ref("product.group_product_pricelist")
        self.env.ref("base.group_user").implied_ids += group
        self.env.ref("base.group_public").implied_ids += group
        return self.env["product.pricelist"].create(
            {
                "name": "Shop",
                "website_id": self.website.id,
                "selectable": True,
                "sequence": 0,
                **values,
            }
        )

    # === THE PAGE OF A PRODUCT ===

    def test_plans_to_choose_from(self):
        info = self._info()
        self.assertChoices(
            info, ("Monthly", 10.0, "month", True), ("Yearly", 100.0, "year", False)
        )
        self.assertEqual((info["price"], info["price_period"]), (10.0, "month"))
        text = self._text(self.crate.website_url)
        self.assertIn("Monthly : $ 10.00 / month Yearly : $ 100.00 / year", text)
        self.assertNotIn("77.00", text)

    def test_plan_chosen(self):
        info = self._info(plan_id=self.year.id)
        self.assertEqual((info["price"], info["price_period"]), (100.0, "year"))
        self.assertIn("checked", info["plan_choices_html"])

    def test_forged_plan_shows_the_first(self):
        for plan_id in (self._create_plan().id, "x", [1], 2**70, 0, True):
            with self.subTest(plan_id=plan_id):
                self.assertEqual(self._info(plan_id=plan_id)["price"], 10.0)

    def test_plan_of_the_cart_is_the_one_shown(self):
        self._add_on(self.year)
        self.assertEqual(self._info()["price"], 100.0)

    def test_one_time_purchase(self):
        self.crate.allow_one_time_sale = True
        info = self._info(plan_id=0)
        self.assertChoices(
            info,
            ("Monthly", 10.0, "month", False),
            ("Yearly", 100.0, "year", False),
            ("One-time purchase", 77.0, "", True),
        )
        self.assertEqual((info["price"], info["price_period"]), (77.0, ""))

    def test_quantity_breaks(self):
        """9.00 a month from 3 on; three months for 25.00 from 5 on."""
        quarter = self._create_plan(name="Quarterly", billing_period_value=3)
        self._price(self.crate, self.month, 9.0, min_quantity=3)
        self._price(self.crate, quarter, 25.0, min_quantity=5)
        self.assertChoices(
            self._info(quantity=3),
            ("Monthly", 9.0, "month", True),
            ("Yearly", 100.0, "year", False),
        )
        self.assertChoices(
            self._info(quantity=5, plan_id=quarter.id),
            ("Monthly", 9.0, "month", False),
            ("Yearly", 100.0, "year", False),
            ("Quarterly", 25.0, "3 months", True),
        )

    def test_sold_from_a_quantity_on(self):
        """The page says so, and leaves the quantity to be changed."""
        self.crate.recurring_rule_ids.min_quantity = 5
        info = self._info(quantity=4)
        self.assertChoices(info)
        self.assertEqual(info["plan_minimum"], 5)
        self.assertIn(
            "is sold from a quantity of 5 on", self._text(self.crate.website_url)
        )
        self.assertEqual(self._info(quantity=5)["price"], 10.0)

    def test_variants(self):
        """The big one is 15.00 a month, and not sold by the year."""
        attribute = self.env["product.attribute"].create(
            {
                "name": "Size",
                "value_ids": [
                    Command.create({"name": name}) for name in ("Small", "Big")
                ],
            }
        )
        line = {
            "attribute_id": attribute.id,
            "value_ids": [Command.set(attribute.value_ids.ids)],
        }
        template = self.env["product.template"].create(
            {
                "name": "Sack",
                "is_published": True,
                "recurring_invoice": True,
                "invoice_policy": "order",
                "taxes_id": [Command.clear()],
                "attribute_line_ids": [Command.create(line)],
            }
        )
        small, big = template.product_variant_ids
        for product, plan, price in (
            (small, self.month, 10.0),
            (small, self.year, 100.0),
            (big, self.month, 15.0),
        ):
            variant = {"applied_on": "0_product_variant", "product_id": product.id}
            self._price(product, plan, price, **variant)
        self.assertChoices(
            self._info(small),
            ("Monthly", 10.0, "month", True),
            ("Yearly", 100.0, "year", False),
        )
        self.assertChoices(self._info(big), ("Monthly", 15.0, "month", True))
        self.assertRefused(self._add_on(self.year, big), "is not sold like that")
        self._add_on(self.month, big)
        self.assertCart(self.month, (big, 1, 15.0, True))

    def test_nothing_to_choose_from(self):
        """The price of nothing in particular is not shown, nor is it for sale."""
        bag = self._create_shop_product("Bag", list_price=9.0)
        info = self._info(bag)
        self.assertChoices(info)
        self.assertTrue(info["prevent_zero_price_sale"])
        self.assertFalse(info["plan_minimum"])
        text = self._text(bag.website_url)
        self.assertIn("cannot be bought here", text)
        shop = self._text("/shop?search=Bag")
        self.assertIn("Bag", shop)
        self.assertNotIn("9.00", shop)

    def test_ordinary_product_is_as_before(self):
        info = self._info(self.mug)
        self.assertNotIn("plan_choices", info)
        self.assertEqual(info["price"], 5.0)

    # === TAXES, CURRENCIES, PRICELISTS ===

    def test_with_and_without_taxes(self):
        """10.00 and 20 %: 12.00 where the shop shows taxes, here and in the cart."""
        self.crate.taxes_id = self.env["account.tax"].create(
            {"name": "Sample tax", "amount": 20.0, "company_id": self.company.id}
        )
        self.website.show_line_subtotals_tax_selection = "tax_included"
        self.assertChoices(
            self._info(),
            ("Monthly", 12.0, "month", True),
            ("Yearly", 120.0, "year", False),
        )
        self.assertIn("$ 12.00 / month", self._text("/shop?search=Crate"))
        self._add_on(self.month)
        self.assertIn("Monthly: $ 12.00 / month", self._text("/shop/cart"))
        self.assertEqual(self.cart.amount_total, 12.0)
        self.website.show_line_subtotals_tax_selection = "tax_excluded"
        self.assertEqual(self._info()["price"], 10.0)
        self.assertEqual(self.cart.amount_total, 12.0)

    def test_taxes_in_the_price(self):
        """12.00 of which 20 % are tax: 10.00 where the shop shows none."""
        self.crate.taxes_id = self.env["account.tax"].create(
            {
                "name": "Sample tax",
                "amount": 20.0,
                "price_include_override": "tax_included",
                "company_id": self.company.id,
            }
        )
        self.crate.recurring_rule_ids.fixed_price = 12.0
        self.assertEqual(self._info()["price"], 10.0)
        self.website.show_line_subtotals_tax_selection = "tax_included"
        self.assertEqual(self._info()["price"], 12.0)

    def test_pricelist_of_the_visitor(self):
        pricelist = self._set_pricelist()
        self._price(self.crate, self.month, 8.0, pricelist_id=pricelist.id)
        self.assertChoices(
            self._info(),
            ("Monthly", 8.0, "month", True),
            ("Yearly", 100.0, "year", False),
        )
        self._add_on(self.month)
        self.assertCart(self.month, (self.crate, 1, 8.0, True))

    def test_currency_of_the_visitor(self):
        """Two of it are a dollar: 10.00 are 20.00, also in the list and the cart."""
        currency = self.env["res.currency"].create(
            {
                "name": "XTC",
                "symbol": "XTC",
                "rate_ids": [Command.create({"name": "2020-01-01", "rate": 2.0})],
            }
        )
        self._set_pricelist(currency_id=currency.id)
        self.assertChoices(
            self._info(),
            ("Monthly", 20.0, "month", True),
            ("Yearly", 200.0, "year", False),
        )
        self.assertIn("20.00 XTC / month", self._text("/shop?search=Crate"))
        self._add_on(self.month)
        self.assertEqual(self.cart.currency_id, currency)
        self.assertCart(self.month, (self.crate, 1, 20.0, True))

    def test_percentage_is_shown_as_a_discount(self):
        """A tenth off 77.00 a month: 69.30."""
        self.crate.recurring_rule_ids.unlink()
        pricelist = self._set_pricelist()
        self._price(
            self.crate,
            self.month,
            0.0,
            pricelist_id=pricelist.id,
            compute_price="percentage",
            percent_price=10.0,
        )
        info = self._info()
        self.assertEqual((info["price"], info["list_price"]), (69.3, 77.0))
        self.assertTrue(info["has_discounted_price"])

    # === LISTS ===

    def test_list_of_products(self):
        text = self._text("/shop?search=Crate")
        self.assertIn("$ 10.00 / month", text)
        self.assertNotIn("77.00", text)

    def test_search_as_you_type(self):
        result = self.make_jsonrpc_request(
            "/website/snippet/autocomplete",
            {
                "search_type": "products",
                "term": "Crate",
                "options": {
                    "displayImage": False,
                    "displayDescription": False,
                    "displayExtraLink": False,
                    "displayDetail": True,
                },
            },
        )
        [detail] = [row["detail"] for row in result["results"]]
        detail = re.sub(r"<[^>]*>", "", detail).replace("\xa0", " ")
        self.assertEqual(detail, "$ 10.00 / month")

    def test_added_from_the_list_only_where_nothing_is_to_be_chosen(self):
        page = self.url_open("/shop?search=Crate").text
        self.assertNotIn("o_wsale_product_btn_primary", page)
        self.crate.recurring_rule_ids.filtered(
            lambda rule: rule.plan_id == self.year
        ).unlink()
        page = self.url_open("/shop?search=Crate").text
        self.assertIn("o_wsale_product_btn_primary", page)

    def test_what_search_engines_are_told(self):
        page = self.url_open(self.crate.website_url).text
        [data] = re.findall(
            r'<script type="application/ld\+json">(\s*\[.*?)</script>', page, re.DOTALL
        )
        self.assertEqual(json.loads(data)[0]["offers"]["price"], 10.0)

    # === OPTIONS IN A DIALOG ===

    def _dialog(self, **values):
        return self.make_jsonrpc_request(
            "/website_sale/product_configurator/get_values",
            {
                "product_template_id": self.crate.product_tmpl_id.id,
                "quantity": 1,
                "currency_id": self.company.currency_id.id,
                "so_date": "2026-01-01 00:00:00",
                "product_uom_id": self.crate.uom_id.id,
                "ptav_ids": [],
                "only_main_product": False,
                **values,
            },
        )

    def test_dialog_for_options(self):
        """Only what can be had on that plan is offered along with it."""
        lid = self._create_shop_product("Lid", list_price=30.0)
        self._price(lid, self.year, 50.0)
        self.crate.optional_product_ids = lid.product_tmpl_id | self.mug.product_tmpl_id
        values = self._dialog(plan_id=self.year.id)
        self.assertEqual(values["products"][0]["price"], 100.0)
        self.assertEqual(
            {p["product_tmpl_id"]: p["price"] for p in values["optional_products"]},
            {lid.product_tmpl_id.id: 50.0, self.mug.product_tmpl_id.id: 5.0},
        )
        values = self._dialog(plan_id=self.month.id)
        self.assertEqual(values["products"][0]["price"], 10.0)
        self.assertEqual(
            [p["product_tmpl_id"] for p in values["optional_products"]],
            self.mug.product_tmpl_id.ids,
        )
