from itertools import product as combinations
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command
from odoo.tests import Form, tagged

from .pricing_common import RecurringPricingCase


@tagged("post_install", "-at_install")
class TestNoLeak(RecurringPricingCase):
    """Whoever does not ask for a plan never meets a recurring price."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.category = cls.env["product.category"].create({"name": "Hosting"})
        cls.products = cls.fee + cls.setup_fee + cls.hours
        cls.products.categ_id = cls.category
        half = cls._create_currency_worth("XHF", 2.0)
        cls.foreign = cls._create_pricelist("Foreign", currency_id=half.id)
        cls.chained = cls._create_pricelist("Chained")
        cls.pricelists = cls.pricelist + cls.foreign + cls.chained
        cls._create_rule(9.0)
        cls._create_rule(8.5, min_quantity=12)
        cls._create_rule(
            applied_on="2_product_category",
            categ_id=cls.category.id,
            compute_price="percentage",
            percent_price=7,
        )
        cls._create_rule(
            pricelist_id=cls.foreign.id,
            applied_on="3_global",
            compute_price="formula",
            price_discount=12.5,
            price_surcharge=0.37,
        )
        cls._create_rule(
            pricelist_id=cls.chained.id,
            applied_on="3_global",
            compute_price="formula",
            base="pricelist",
            base_pricelist_id=cls.pricelist.id,
            price_discount=3,
        )

    def _create_recurring_prices(self):
        """One of every kind, for every plan, for each pricelist and for all."""
        scopes = [
            {"applied_on": "3_global"},
            {"applied_on": "2_product_category", "categ_id": self.category.id},
        ]
        for item in self.products:
            template = item.product_tmpl_id.id
            scopes += [
                {"applied_on": "1_product", "product_tmpl_id": template},
                {"applied_on": "0_product_variant", "product_id": item.id},
            ]
        ways = [
            {"compute_price": "fixed", "fixed_price": 1.0},
            {"compute_price": "percentage", "percent_price": 50, "min_quantity": 2},
            {"compute_price": "formula", "price_surcharge": -3, "min_quantity": 20},
        ]
        return self.env["product.pricelist.item"].create(
            [
                {"pricelist_id": pricelist, "plan_id": plan.id, **scope, **way}
                for pricelist in [*self.pricelists.ids, False]
                for plan in self.plan + self.yearly
                for scope, way in combinations(scopes, ways)
            ]
        )

    def _ordinary_prices(self):
        """Every price there is without a plan, by every way of asking."""
        no_pricelist = self.env["product.pricelist"]
        dozen = self.env.ref("uom.product_uom_dozen")
        products = self.products
        result = {}
        for pricelist in [*self.pricelists, no_pricelist]:
            for quantity in (0.0, 1.0, 2.0, 11.0, 12.0, 20.0, 1000.0):
                key = pricelist.name, quantity
                for asked in (products, products.product_tmpl_id):
                    answer = pricelist._get_products_price(asked, quantity)
                    result[key + (asked._name,)] = answer
                for item in products:
                    one = key + (item.name,)
                    result[one + ("price and rule",)] = (
                        pricelist._get_product_price_rule(item, quantity)
                    )
                    result[one + ("dozen",)] = pricelist._get_product_price(
                        item, quantity, uom=dozen, date=fields.Datetime.now()
                    )
                    result[one + ("contextual",)] = item.with_context(
                        pricelist=pricelist.id, quantity=quantity
                    )._get_contextual_price()
            order = self._create_priced(
                *products, plan_id=False, pricelist_id=pricelist.id, quantity=20
            )
            result[pricelist.name, "order"] = [
                (line.price_unit, line.discount, line.pricelist_item_id.id)
                for line in order.order_line
            ]
            catalog = order._get_product_catalog_order_data(products)
            result[pricelist.name, "catalog"] = catalog
        result["several"] = self.pricelists._price_get(self.fee, 3)
        result["items"] = self.pricelists.item_ids.ids
        result["of products"] = products.product_tmpl_id.pricelist_rule_ids.ids
        result["of variants"] = products.pricelist_rule_ids.ids
        result["one-off line"] = self._create_priced(self.setup_fee).amount_untaxed
        result["report"] = self._report()
        return result

    def _report(self):
        return [
            self.env["report.product.report_pricelist"].get_html(
                {
                    "quantities": [1, 12, 50],
                    "pricelist_id": pricelist.id,
                    "active_model": "product.template",
                    "active_ids": self.products.product_tmpl_id.ids,
                }
            )
            for pricelist in self.pricelists
        ]

    def test_ordinary_prices_are_the_same_with_and_without(self):
        before = self._ordinary_prices()
        rules = self._create_recurring_prices()
        self.env.invalidate_all()
        self.assertEqual(len(rules), 4 * 2 * 8 * 3)
        self.assertEqual(self._ordinary_prices(), before)

    def test_ordinary_prices_with_discounts_shown(self):
        self._show_discounts()
        before = self._ordinary_prices()
        self._create_recurring_prices()
        self.env.invalidate_all()
        self.assertEqual(self._ordinary_prices(), before)

    def test_pricelist_shows_them_apart(self):
        ordinary = self._create_rule(5.0, min_quantity=100)
        recurring = self._create_rule(7.0, plan_id=self.plan.id)
        self.assertIn(ordinary, self.pricelist.item_ids)
        self.assertNotIn(recurring, self.pricelist.item_ids)
        self.assertEqual(self.pricelist.recurring_item_ids, recurring)
        self.assertIn(ordinary, self.template.pricelist_rule_ids)
        self.assertNotIn(recurring, self.template.pricelist_rule_ids)
        self.assertEqual(self.template.recurring_rule_ids, recurring)
        self.assertEqual(self.fee.recurring_rule_ids, recurring)

    def test_saving_the_variant_keeps_the_recurring_prices(self):
        """Odoo writes the ordinary rules of a template anew from its variant."""
        recurring = self._create_rule(7.0, plan_id=self.plan.id)
        self.fee.pricelist_rule_ids = [Command.clear()]
        self.assertEqual(self.template.recurring_rule_ids, recurring)
        with Form(self.fee) as form:
            form.name = "Base fee, renamed"
        self.assertEqual(self.template.recurring_rule_ids, recurring)

    def test_copy_of_a_pricelist(self):
        self._create_rule(7.0, plan_id=self.plan.id)
        copy = self.pricelist.copy()
        self.assertEqual(copy.recurring_item_ids.mapped("fixed_price"), [7.0])
        self.assertEqual(copy.recurring_item_ids.plan_id, self.plan)
        self.assertEqual(len(copy.item_ids), len(self.pricelist.item_ids))

    def test_point_of_sale_is_not_sent_recurring_prices(self):
        """That module calls this method; without it there is nothing beneath ours."""
        if "pos.load.mixin" in self.env:
            self.skipTest("Point of Sale is here: its own method needs its records")
        recurring = self._create_rule(7.0, plan_id=self.plan.id)
        ordinary = self.pricelist.item_ids
        with patch.object(
            self.env.registry["base"],
            "_load_pos_data_read",
            lambda self, records, config: records,
            create=True,
        ):
            sent = ordinary._load_pos_data_read(recurring + ordinary, None)
        self.assertEqual(sent, ordinary)
