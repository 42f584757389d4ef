import json

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .pricing_common import RecurringPricingCase

FROM_PRODUCT = "product.product_pricelist_item_product_template_form_view"


@tagged("post_install", "-at_install")
class TestRecurringRule(RecurringPricingCase):
    """What a recurring price may be."""

    def test_default_pricelist(self):
        """Odoo's default, the first pricelist there is, is for ordinary rules."""
        rule = self.env["product.pricelist.item"].create(
            {"plan_id": self.plan.id, "product_tmpl_id": self.template.id}
        )
        self.assertFalse(rule.pricelist_id)
        self.assertEqual(rule.applied_on, "1_product")
        self.assertFalse(rule.is_pricelist_required)
        rule = self.env["product.pricelist.item"].create(
            {"product_tmpl_id": self.template.id}
        )
        self.assertTrue(rule.pricelist_id)
        self.assertTrue(rule.is_pricelist_required)

    def test_rule_without_pricelist_needs_a_plan(self):
        with self.assertRaises(ValidationError):
            self._create_general_price(7.0)
        rule = self._create_general_price(7.0, plan_id=self.plan.id)
        with self.assertRaises(ValidationError):
            rule.plan_id = False

    def test_price_for_all_pricelists_is_not_based_on_one(self):
        """It would be its own base where that pricelist has no other price."""
        with self.assertRaises(ValidationError):
            self._create_general_price(
                plan_id=self.plan.id,
                compute_price="formula",
                base="pricelist",
                base_pricelist_id=self.pricelist.id,
            )

    def test_prices_based_on_themselves(self):
        """By one rule each way, directly or by way of a third pricelist.

        Odoo's own check looks at ordinary rules only.
        """
        other = self._create_pricelist("Other")
        third = self._create_pricelist("Third")

        def base(pricelist, base, **values):
            return self._create_rule(
                pricelist_id=pricelist.id,
                base_pricelist_id=base.id,
                base="pricelist",
                compute_price="formula",
                **values,
            )

        base(self.pricelist, other, plan_id=self.plan.id)
        base(other, third, plan_id=self.yearly.id)
        for pricelist in (other, third):
            for values in ({}, {"plan_id": self.plan.id}):
                with self.assertRaisesRegex(ValidationError, "based on themselves"):
                    base(pricelist, self.pricelist, **values)

    def test_same_price_twice(self):
        """Of two such rules one never counts. Another date or tier makes two rules."""
        self._create_rule(7.0, plan_id=self.plan.id)
        self._create_general_price(7.0, plan_id=self.plan.id)
        self._create_rule(7.0, plan_id=self.yearly.id)
        self._create_rule(7.0, plan_id=self.plan.id, min_quantity=5)
        self._create_rule(7.0, plan_id=self.plan.id, date_start="2026-01-01")
        for create in (self._create_rule, self._create_general_price):
            with (
                self.assertRaises(UniqueViolation),
                mute_logger("odoo.sql_db"),
                self.cr.savepoint(),
            ):
                create(6.0, plan_id=self.plan.id)

    def test_ordinary_rules_may_be_there_twice(self):
        """As ever: this module does not touch them."""
        self.assertTrue(self._create_rule(7.0) + self._create_rule(7.0))

    def test_a_price_for_a_while_beside_the_one_for_always(self):
        self._create_rule(7.0, plan_id=self.plan.id)
        self._create_rule(5.0, plan_id=self.plan.id, date_end="2100-01-01")
        self.assertEqual(self._create_priced().order_line.price_unit, 5.0)

    def test_plan_is_deleted(self):
        """Its prices go with it; they must not turn into ordinary ones."""
        rule = self._create_rule(7.0, plan_id=self.yearly.id)
        self.yearly.unlink()
        self.assertFalse(rule.exists())
        self.assertEqual(self.pricelist._get_product_price(self.fee, 1), 10.0)

    # === COMPANIES ===

    def test_company_of_plan_pricelist_and_product(self):
        here = self.company
        abroad = self.env["res.company"].create({"name": "Abroad"})
        for company, other in ((here, abroad), (abroad, here)):
            plan = self._create_plan(company_id=company.id)
            pricelist = self._create_pricelist("Own", company_id=company.id)
            product = self._create_product(company_id=company.id).product_tmpl_id
            other_plan = self._create_plan(company_id=other.id)
            other_pricelist = self._create_pricelist("Other", company_id=other.id)

            shared = self._create_general_price(7.0, plan_id=plan.id)
            self.assertEqual(shared.company_id, company)
            self.assertEqual(shared.currency_id, company.currency_id)
            own = self._create_rule(
                7.0,
                plan_id=plan.id,
                pricelist_id=pricelist.id,
                product_tmpl_id=product.id,
            )
            self.assertEqual(own.company_id, company)
            for values in (
                {"plan_id": plan.id, "pricelist_id": other_pricelist.id},
                {"plan_id": other_plan.id, "product_tmpl_id": product.id},
                {
                    "plan_id": self.plan.id,
                    "pricelist_id": other_pricelist.id,
                    "product_tmpl_id": product.id,
                },
            ):
                values.setdefault("pricelist_id", False)
                with self.assertRaises(UserError):
                    self._create_rule(7.0, **values)

    def test_pricelist_that_moves_to_another_company(self):
        plan = self._create_plan(company_id=self.company.id)
        pricelist = self._create_pricelist("Shared", company_id=False)
        self._create_rule(7.0, plan_id=plan.id, pricelist_id=pricelist.id)
        abroad = self.env["res.company"].create({"name": "Abroad"})
        with self.assertRaises(UserError):
            pricelist.company_id = abroad

    def test_price_in_each_company(self):
        """A price of one company's plan is not there for the other; both ways."""
        here = self.company
        half = self._create_currency_worth("XHF", 2.0)
        abroad = self.env["res.company"].create(
            {"name": "Abroad", "currency_id": half.id}
        )
        prices = {}
        for company, price in ((here, 7.0), (abroad, 11.0)):
            plan = self._create_plan(company_id=company.id)
            self._create_general_price(price, plan_id=plan.id)
            order = self._create_quotation(plan_id=plan.id, company_id=company.id)
            prices[company] = order.order_line.price_unit
        self.assertEqual(prices, {here: 7.0, abroad: 11.0})

        # A plan of all companies: 8 of the currency here are 16 abroad.
        self._create_general_price(8.0, plan_id=self.plan.id)
        order = self._create_quotation(company_id=abroad.id)
        self.assertEqual(order.currency_id, half)
        self.assertEqual(order.order_line.price_unit, 16.0)

    def test_user_of_one_company_does_not_see_the_other(self):
        here = self.company
        abroad = self.env["res.company"].create({"name": "Abroad"})
        for company, other in ((here, abroad), (abroad, here)):
            user = new_test_user(
                self.env,
                login=f"sales-{company.id}",
                groups="sales_team.group_sale_manager",
                company_id=company.id,
                company_ids=[Command.set(company.ids)],
            )
            own, foreign = (
                self._create_general_price(
                    7.0, plan_id=self._create_plan(company_id=owner.id).id
                )
                for owner in (company, other)
            )
            self.assertEqual(own.with_user(user).fixed_price, 7.0)
            with self.assertRaises(AccessError):
                foreign.with_user(user).read(["fixed_price"])

    # === FORMS ===

    def test_product_form(self):
        """Plan and price are all there is to enter."""
        context = {"recurring_prices": True, "default_pricelist_id": False}
        form = Form(
            self.env["product.pricelist.item"].with_context(
                **context, default_product_tmpl_id=self.template.id
            ),
            view=FROM_PRODUCT,
        )
        form.plan_id = self.plan
        form.fixed_price = 7.0
        rule = form.save()
        self.assertEqual(rule.applied_on, "1_product")
        self.assertEqual(rule.product_tmpl_id, self.template)
        self.assertFalse(rule.pricelist_id)
        self.assertEqual(self._create_priced().order_line.price_unit, 7.0)

    def test_variant_form(self):
        with Form(self.fee) as form, form.recurring_rule_ids.new() as line:
            line.plan_id = self.plan
            line.fixed_price = 7.0
        rule = self.template.recurring_rule_ids
        self.assertEqual((rule.product_id, rule.pricelist_id.ids), (self.fee, []))
        self.assertEqual(rule.applied_on, "0_product_variant")
        self.assertEqual(self._create_priced().order_line.price_unit, 7.0)

    def test_several_changes_in_the_variant_form(self):
        """What is the other variant's stays, and is not shown."""
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
                "recurring_invoice": True,
                "attribute_line_ids": [Command.create(sizes)],
            }
        )
        small, large = template.product_variant_ids
        for price, values in (
            (1.0, {"product_tmpl_id": template.id}),
            (2.0, {"product_tmpl_id": template.id, "min_quantity": 5}),
            (3.0, {"product_id": large.id, "applied_on": "0_product_variant"}),
        ):
            self._create_general_price(price, plan_id=self.plan.id, **values)
        self.assertEqual(sorted(small.recurring_rule_ids.mapped("fixed_price")), [1, 2])
        first = small.recurring_rule_ids.mapped("fixed_price").index(1.0)
        with Form(small) as form:
            with form.recurring_rule_ids.edit(first) as line:
                line.fixed_price = 10.0
            with form.recurring_rule_ids.new() as line:
                line.plan_id = self.yearly
                line.fixed_price = 40.0
            form.recurring_rule_ids.remove(index=1 - first)
        prices = {rule.fixed_price: rule for rule in template.recurring_rule_ids}
        self.assertEqual(sorted(prices), [3.0, 10.0, 40.0])
        self.assertEqual(prices[40.0].product_id, small)
        self.assertFalse(prices[10.0].product_id)

    def test_price_entered_with_a_new_product_is_for_that_product(self):
        """The form does not know its id, so it says "all products"."""
        rule = {"plan_id": self.plan.id, "fixed_price": 7.0, "applied_on": "3_global"}
        values = {"name": "Hosting", "recurring_rule_ids": [Command.create(rule)]}
        for model, scope in (
            ("product.template", "1_product"),
            ("product.product", "0_product_variant"),
        ):
            product = self.env[model].create(values)
            self.assertEqual(product.recurring_rule_ids.applied_on, scope)
        self.assertEqual(self._create_priced().order_line.price_unit, 10.0)
        for_all = self._create_rule(6.0, **rule | {"fixed_price": 6.0})
        self.assertEqual(for_all.applied_on, "3_global")

    def test_new_product_with_prices(self):
        template = self.env["product.template"].create(
            {
                "name": "Hosting",
                "recurring_invoice": True,
                "recurring_rule_ids": [
                    Command.create({"plan_id": plan.id, "fixed_price": price})
                    for plan, price in ((self.plan, 7.0), (self.yearly, 70.0))
                ],
            }
        )
        order = self._create_priced(template.product_variant_id)
        self.assertEqual(order.order_line.price_unit, 7.0)

    def test_salesperson_reads_and_manager_edits(self):
        rule = self._create_rule(7.0, plan_id=self.plan.id)
        for group, may_edit in (
            ("sales_team.group_sale_salesman", False),
            ("sales_team.group_sale_manager", True),
            ("product.group_product_manager", True),
        ):
            user = new_test_user(
                self.env, login=group, groups=f"base.group_user,{group}"
            )
            own = rule.with_user(user)
            self.assertEqual(own.plan_id.name, "Test plan")
            if may_edit:
                own.fixed_price = 6.0
            else:
                with self.assertRaises(AccessError):
                    own.fixed_price = 6.0

    def test_salesperson_gets_the_price(self):
        self._create_rule(7.0, plan_id=self.plan.id)
        user = new_test_user(
            self.env, login="sales", groups="sales_team.group_sale_salesman"
        )
        order = self._create_priced(user_id=user.id).with_user(user)
        order.plan_id = self.yearly
        self.assertEqual(order.order_line.price_unit, 10.0)
        order.plan_id = self.plan
        self.assertEqual(order.order_line.price_unit, 7.0)


@tagged("post_install", "-at_install")
class TestConfigurator(RecurringPricingCase, HttpCase):
    """The configurators ask before there is a line; the client sends the plan."""

    def _ask(self, **values):
        self.authenticate("admin", "admin")
        params = {
            "product_template_id": self.template.id,
            "quantity": 1,
            "currency_id": self.pricelist.currency_id.id,
            "so_date": "2026-01-01 00:00:00",
            "pricelist_id": self.pricelist.id,
            "ptav_ids": [],
        }
        response = self.url_open(
            "/sale/product_configurator/get_values",
            data=json.dumps({"params": params | values}),
            headers={"Content-Type": "application/json"},
        )
        return response.json()["result"]["products"][0]["price"]

    def test_price_of_the_plan(self):
        self._create_rule(7.0, plan_id=self.plan.id)
        self.assertEqual(self._ask(plan_id=self.plan.id), 7.0)
        self.assertEqual(self._ask(plan_id=self.yearly.id), 10.0)
        self.assertEqual(self._ask(), 10.0)
