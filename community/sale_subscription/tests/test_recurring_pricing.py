from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .pricing_common import RecurringPricingCase


@tagged("post_install", "-at_install")
class TestRecurringPrice(RecurringPricingCase):
    """Which price a line of an order with a plan gets. The list price is 10."""

    def _price(self, **values):
        return self._create_priced(**values).order_line.price_unit

    # === WHICH RULE COMES FIRST ===

    def test_first_of_the_prices_that_exist(self):
        """Of the pricelist for the plan; for all pricelists; ordinary; list price."""
        own = self._create_rule(7.0, plan_id=self.plan.id)
        general = self._create_general_price(8.0, plan_id=self.plan.id)
        ordinary = self._create_rule(9.0)
        self.assertEqual(self._price(), 7.0)
        own.unlink()
        self.assertEqual(self._price(), 8.0)
        general.unlink()
        self.assertEqual(self._price(), 9.0)
        ordinary.unlink()
        self.assertEqual(self._price(), 10.0)

    def test_less_specific_rule_of_the_plan_goes_before_ordinary_ones(self):
        self._create_rule(9.0)
        self._create_rule(6.0, plan_id=self.plan.id, applied_on="3_global")
        self.assertEqual(self._price(), 6.0)

    def test_rule_for_all_pricelists_comes_after_those_of_the_pricelist(self):
        self._create_rule(6.0, plan_id=self.plan.id, applied_on="3_global")
        self._create_general_price(8.0, plan_id=self.plan.id)
        self.assertEqual(self._price(), 6.0)

    def test_price_of_another_plan_never_counts(self):
        self._create_rule(7.0, plan_id=self.yearly.id)
        self._create_general_price(8.0, plan_id=self.yearly.id)
        self.assertEqual(self._price(), 10.0)
        self.assertEqual(self._price(plan_id=self.yearly.id), 7.0)

    def test_price_of_another_pricelist_never_counts(self):
        other = self._create_pricelist("Wholesale")
        self._create_rule(7.0, plan_id=self.plan.id, pricelist_id=other.id)
        self.assertEqual(self._price(), 10.0)
        self.assertEqual(self._price(pricelist_id=other.id), 7.0)

    def test_order_without_pricelist(self):
        self._create_rule(7.0, plan_id=self.plan.id)
        self.assertEqual(self._price(pricelist_id=False), 10.0)
        rule = self._create_general_price(8.0, plan_id=self.plan.id)
        order = self._create_priced(pricelist_id=False)
        self.assertEqual(order.order_line.price_unit, 8.0)
        self.assertEqual(order.order_line.pricelist_item_id, rule)

    def test_line_that_is_not_recurring(self):
        self._create_rule(7.0, plan_id=self.plan.id, applied_on="3_global")
        self._create_general_price(8.0, plan_id=self.plan.id, applied_on="3_global")
        order = self._create_priced(self.setup_fee, self.fee)
        self.assertEqual(order.order_line.mapped("price_unit"), [40.0, 7.0])

    def test_order_without_plan(self):
        self._create_rule(7.0, plan_id=self.plan.id)
        self._create_general_price(8.0, plan_id=self.plan.id)
        self.assertEqual(self._price(plan_id=False), 10.0)
        self.assertEqual(self._price(plan_id=False, pricelist_id=False), 10.0)

    def test_upsell_has_the_price_of_the_plan(self):
        self._create_rule(7.0, plan_id=self.plan.id)
        order = self._create_priced(
            subscription_state="7_upsell", subscription_id=self._create_priced().id
        )
        self.assertEqual(order.order_line.price_unit, 7.0)

    def test_product_that_is_no_subscription_product_any_more(self):
        """What is on an order stays recurring, and so does its price."""
        self._create_rule(7.0, plan_id=self.plan.id)
        line = self._create_priced().order_line
        self.fee.recurring_invoice = False
        line.product_uom_qty = 2
        self.assertEqual(line.price_unit, 7.0)
        self.assertEqual(self._price(), 10.0)

    # === SPECIFICITY INSIDE A GROUP ===

    def test_variant_product_category_all(self):
        category = self.env["product.category"].create({"name": "Hosting"})
        self.template.categ_id = category
        for price, values in (
            (1.0, {"applied_on": "3_global"}),
            (2.0, {"applied_on": "2_product_category", "categ_id": category.id}),
            (3.0, {"applied_on": "1_product"}),
            (4.0, {"applied_on": "0_product_variant", "product_id": self.fee.id}),
        ):
            self._create_rule(price, plan_id=self.plan.id, **values)
            self.assertEqual(self._price(), price)

    def test_quantities(self):
        for quantity, price in ((0, 7.0), (5, 6.0), (20, 5.0)):
            self._create_rule(price, plan_id=self.plan.id, min_quantity=quantity)
        for quantity, price in (
            (1, 7.0),
            (4, 7.0),
            (5, 6.0),
            (19, 6.0),
            (20, 5.0),
            (500, 5.0),
        ):
            self.assertEqual(self._price(quantity=quantity), price, quantity)

    def test_too_small_a_quantity_falls_to_the_next_group(self):
        self._create_rule(7.0, plan_id=self.plan.id, min_quantity=5)
        self._create_general_price(8.0, plan_id=self.plan.id, min_quantity=3)
        self._create_rule(9.0)
        prices = [self._price(quantity=quantity) for quantity in (2, 3, 5)]
        self.assertEqual(prices, [9.0, 8.0, 7.0])

    def test_quantity_is_in_the_unit_of_the_product(self):
        """A dozen is 12 pieces: reaches the tier, and costs 12 times its price."""
        self._create_rule(7.0, plan_id=self.plan.id)
        self._create_rule(6.0, plan_id=self.plan.id, min_quantity=12)
        dozen = self.env.ref("uom.product_uom_dozen")
        line = {"product_id": self.fee.id, "product_uom_id": dozen.id}
        order = self._create_priced(order_line=[Command.create(line)])
        self.assertEqual(order.order_line.price_unit, 72.0)

    def test_dates(self):
        """Both ends count, as for any rule; outside, the ordinary price counts."""
        self._create_rule(
            7.0,
            plan_id=self.plan.id,
            date_start="2026-03-01 00:00:00",
            date_end="2026-03-31 23:59:59",
        )
        for moment, price in (
            ("2026-02-28 23:59:59", 10.0),
            ("2026-03-01 00:00:00", 7.0),
            ("2026-03-31 23:59:59", 7.0),
            ("2026-04-01 00:00:00", 10.0),
        ):
            with freeze_time(moment):
                self.assertEqual(self._price(), price, moment)

    # === HOW THE PRICE IS COMPUTED ===

    def test_percentage_and_formula(self):
        """15 % off 10; and 10 - 20 %, rounded to 5, plus 0.99."""
        rule = self._create_rule(
            plan_id=self.plan.id, compute_price="percentage", percent_price=15
        )
        self.assertEqual(self._price(), 8.5)
        rule.unlink()
        self._create_rule(
            plan_id=self.plan.id,
            compute_price="formula",
            price_discount=20,
            price_round=5,
            price_surcharge=0.99,
        )
        self.assertAlmostEqual(self._price(), 10.99)

    def test_shown_discount(self):
        """With a pricelist the order shows 10 less 15 %; without one, 8.5."""
        self._show_discounts()
        rule = {"compute_price": "percentage", "percent_price": 15}
        self._create_general_price(plan_id=self.plan.id, **rule)
        for pricelist, price, discount in ((self.pricelist, 10, 15), (None, 8.5, 0)):
            order = self._create_priced(pricelist_id=pricelist and pricelist.id)
            line = order.order_line
            self.assertEqual((line.price_unit, line.discount), (price, discount))
            self.assertEqual(order.amount_untaxed, 8.5)

    def test_chain_asks_the_base_for_the_same_plan(self):
        """10 % off what the base pricelist charges on that plan; not on another."""
        reseller = self._create_pricelist("Reseller")
        chain = {
            "pricelist_id": reseller.id,
            "applied_on": "3_global",
            "compute_price": "formula",
            "base": "pricelist",
            "base_pricelist_id": self.pricelist.id,
            "price_discount": 10,
        }
        self._create_rule(9.0)
        self._create_rule(7.0, plan_id=self.plan.id)
        self._create_rule(**chain)
        on_plan = {"pricelist_id": reseller.id}
        self.assertAlmostEqual(self._price(**on_plan), 6.3)
        self.assertAlmostEqual(self._price(**on_plan, plan_id=self.yearly.id), 8.1)
        self.assertAlmostEqual(self._price(**on_plan, plan_id=False), 8.1)

        rule = self._create_rule(**chain, plan_id=self.yearly.id)
        rule.price_discount = 50
        self.assertAlmostEqual(self._price(**on_plan, plan_id=self.yearly.id), 4.5)

    # === CURRENCIES ===

    def test_currency_of_a_price_for_all_pricelists(self):
        """8 of the company's currency are 16 where one is worth two."""
        half = self._create_currency_worth("XHF", 2.0)
        foreign = self._create_pricelist("Foreign", currency_id=half.id)
        rule = self._create_general_price(8.0, plan_id=self.plan.id)
        self.assertEqual(rule.currency_id, self.company.currency_id)
        self.assertEqual(self._price(pricelist_id=foreign.id), 16.0)
        own = self._create_rule(
            11.0, plan_id=self.plan.id, pricelist_id=foreign.id, min_quantity=1
        )
        self.assertEqual(own.currency_id, half)
        self.assertEqual(self._price(pricelist_id=foreign.id), 11.0)

    def test_formula_is_reckoned_in_the_currency_of_the_rule(self):
        """10 less 20 % is 8, rounded to 5: 10, less 0.01: 9.99. Twice that: 19.98."""
        half = self._create_currency_worth("XHF", 2.0)
        foreign = self._create_pricelist("Foreign", currency_id=half.id)
        self._create_general_price(
            plan_id=self.plan.id,
            compute_price="formula",
            price_discount=20,
            price_round=5,
            price_surcharge=-0.01,
        )
        self.assertAlmostEqual(self._price(pricelist_id=foreign.id), 19.98)

    def test_percentage_in_another_currency(self):
        """15 % off a list price of 10, which is 20 there."""
        half = self._create_currency_worth("XHF", 2.0)
        foreign = self._create_pricelist("Foreign", currency_id=half.id)
        rule = {"compute_price": "percentage", "percent_price": 15}
        self._create_general_price(plan_id=self.plan.id, **rule)
        self.assertEqual(self._price(pricelist_id=foreign.id), 17.0)

    def test_currency_stays_what_it_was_entered_in(self):
        """Also when someone edits the rule from a company with another currency."""
        rule = self._create_general_price(8.0, plan_id=self.plan.id)
        half = self._create_currency_worth("XHF", 2.0)
        abroad = self.env["res.company"].create(
            {"name": "Abroad", "currency_id": half.id}
        )
        rule = rule.with_company(abroad)
        rule.product_tmpl_id = self.hours.product_tmpl_id
        self.assertEqual(rule.currency_id, self.company.currency_id)

    # === THE PRICING OF A PRODUCT ===

    def test_get_recurring_pricing(self):
        Item = self.env["product.pricelist.item"]
        pricing = self.template._get_recurring_pricing
        self.assertEqual(pricing(self.pricelist), Item)
        self._create_rule(9.0)
        self.assertEqual(pricing(self.pricelist, plan_id=self.plan.id), Item)
        yearly = self._create_rule(70.0, plan_id=self.yearly.id)
        general = self._create_general_price(8.0, plan_id=self.yearly.id)
        self.assertEqual(pricing(self.pricelist), yearly)
        self.assertEqual(pricing(self.env["product.pricelist"]), general)
        self.assertEqual(pricing(None, plan_id=self.yearly.id), general)
        self.assertEqual(pricing(None, plan_id=self.yearly), general)
        monthly = self._create_rule(7.0, plan_id=self.plan.id)
        self.assertEqual(pricing(self.pricelist), monthly)
        self.assertEqual(pricing(self.pricelist, self.fee, self.plan.id), monthly)
        self.yearly.sequence = self.plan.sequence - 1
        self.assertEqual(pricing(self.pricelist), yearly)
        self.template.recurring_invoice = False
        self.assertEqual(pricing(self.pricelist), Item)

    def test_get_recurring_pricing_of_a_variant(self):
        size = self.env["product.attribute"].create(
            {"name": "Size", "value_ids": [Command.create({"name": n}) for n in "SL"]}
        )
        sizes = {
            "attribute_id": size.id,
            "value_ids": [Command.set(size.value_ids.ids)],
        }
        template = self.env["product.template"].create(
            {
                "name": "Hosting",
                "list_price": 10.0,
                "recurring_invoice": True,
                "attribute_line_ids": [Command.create(sizes)],
            }
        )
        small, large = template.product_variant_ids
        rule = self._create_rule(
            7.0,
            plan_id=self.plan.id,
            applied_on="0_product_variant",
            product_id=large.id,
        )
        pricing = template._get_recurring_pricing
        self.assertEqual(pricing(self.pricelist, variant=large), rule)
        self.assertFalse(pricing(self.pricelist, variant=small))
        self.assertFalse(pricing(self.pricelist))
        order = self._create_priced(small, large)
        self.assertEqual(order.order_line.mapped("price_unit"), [10.0, 7.0])

    def test_price_that_the_pricing_gives(self):
        rule = self._create_rule(7.0, plan_id=self.plan.id)
        pricing = self.template._get_recurring_pricing(self.pricelist)
        price = pricing._compute_price(
            self.fee, 1.0, self.fee.uom_id, fields.Datetime.now()
        )
        self.assertEqual((pricing, price), (rule, 7.0))
