from odoo.tests import tagged

from .common import ShopCase


@tagged("post_install", "-at_install")
class TestShopCart(ShopCase):
    """What a cart may be, and that all else is refused in the cart.

    The shop used to take the money for a subscription product and to leave a draft
    order without a plan.
    """

    def setUp(self):
        super().setUp()
        self.authenticate("sam", "sam")

    # === CHOOSING ===

    def test_the_plan_chosen_is_the_plan_of_the_order(self):
        result = self._add_on(self.year)
        self.assertEqual(result["quantity"], 1)
        self.assertCart(self.year, (self.crate, 1, 100.0, True))
        self.assertTrue(self.cart._is_cart_ready())

    def test_logged_out(self):
        self.authenticate(None, None)
        self._add_on(self.month, quantity=2)
        self.assertCart(self.month, (self.crate, 2, 10.0, True))

    def test_once_more(self):
        """The same plan again, or not said again, which is the cart's."""
        self._add_on(self.month)
        self._add_on(self.month)
        self._add(self.crate)
        self.assertCart(self.month, (self.crate, 3, 10.0, True))

    def test_nothing_said_and_several_plans(self):
        self.assertRefused(self._add(self.crate), "Choose a plan on its page")
        self.assertCart(None)

    def test_nothing_said_and_one_plan(self):
        bag = self._create_shop_product("Bag")
        self._price(bag, self.year, 60.0)
        self._add(bag)
        self.assertCart(self.year, (bag, 1, 60.0, True))

    def test_forged_plans(self):
        other_company = self.env["res.company"].create({"name": "Other"})
        cases = {
            "unpriced": self._create_plan().id,
            "archived": self._price(self.crate, self._create_plan(), 1.0).plan_id.id,
            "other company": self._create_plan(company_id=other_company.id).id,
            "missing": 2**40,
            "negative": -1,
            "text": "yearly",
            "list": [self.month.id],
            "true": True,
            "float": 1.5,
            "without plan": 0,
        }
        self.month.browse(cases["archived"]).active = False
        self.env["product.pricelist.item"].with_company(other_company).create(
            {
                "plan_id": cases["other company"],
                "applied_on": "3_global",
                "compute_price": "fixed",
                "fixed_price": 1.0,
            }
        )
        for name, plan_id in cases.items():
            with self.subTest(name):
                result = self._add(self.crate, plan_id=plan_id)
                self.assertRefused(result, "is not sold like that")
                self.assertCart(None)

    def test_plans_of_which_the_first_period_may_be_short(self):
        """The customer would pay a whole period, and the invoice be for less."""
        cases = [
            {"billing_first_day": True},
            {"contract_length": 2, "contract_unit": "week"},
            {"contract_length": 4, "contract_unit": "week"},
        ]
        for values in cases:
            with self.subTest(values):
                plan = self._create_plan(**values)
                self._price(self.crate, plan, 3.0)
                self.assertRefused(self._add_on(plan), "is not sold like that")

    def test_plan_of_a_year_in_months_is_sold(self):
        plan = self._create_plan(contract_length=12, contract_unit="month")
        self._price(self.crate, plan, 3.0)
        self._add_on(plan)
        self.assertCart(plan, (self.crate, 1, 3.0, True))

    def test_what_has_no_price_on_any_plan(self):
        """The ordinary price would be that of every plan."""
        bag = self._create_shop_product("Bag", list_price=9.0)
        self.assertRefused(self._add(bag), "there is no plan")
        self.assertRefused(self._add_on(self.month, bag), "there is no plan")
        self.assertCart(None)

    def test_what_is_invoiced_by_delivered_quantities(self):
        meter = self._create_shop_product("Meter", invoice_policy="delivery")
        self._price(meter, self.month, 2.0)
        self.assertRefused(self._add_on(self.month, meter), "there is no plan")

    def test_free_plan_where_the_shop_sells_nothing_for_nothing(self):
        self.website.prevent_zero_price_sale = True
        plan = self._create_plan()
        self._price(self.crate, plan, 0.0)
        refusal = self._refusal(
            "/shop/cart/add",
            product_template_id=self.crate.product_tmpl_id.id,
            product_id=self.crate.id,
            plan_id=plan.id,
        )
        self.assertIn("does not have a price", refusal)
        self.assertFalse(self.cart.order_line)

    def test_price_on_the_plan_alone_is_a_price(self):
        """The sales price is 0; the shop called it a product that does not exist."""
        self.website.prevent_zero_price_sale = True
        self.crate.list_price = 0.0
        self._add_on(self.month)
        self.assertCart(self.month, (self.crate, 1, 10.0, True))

    # === ONE PLAN AN ORDER ===

    def test_second_plan(self):
        self._add_on(self.month)
        self.assertRefused(self._add_on(self.year), "each order has one plan")
        bag = self._create_shop_product("Bag")
        self._price(bag, self.year, 60.0)
        self.assertRefused(self._add_on(self.year, bag), "each order has one plan")
        self.assertRefused(self._add(bag), "each order has one plan")
        self.assertCart(self.month, (self.crate, 1, 10.0, True))
        self.assertIn("each order has one plan", self.url_open("/shop/cart").text)

    def test_bought_once_beside_a_plan(self):
        self._add_on(self.month)
        self._add(self.mug)
        self._add_on(self.month, self.mug)  # what is sold once has no plan
        self.assertCart(
            self.month, (self.crate, 1, 10.0, True), (self.mug, 2, 5.0, False)
        )
        self.assertTrue(self.cart._is_cart_ready())

    def test_one_time_purchase_stays_one_when_a_plan_comes(self):
        """The product may be sold once, too: the two are lines of their own."""
        self.crate.allow_one_time_sale = True
        self._add(self.crate, plan_id=0)
        self._add_on(self.month)
        self._add(self.crate, plan_id=0)
        self.assertCart(
            self.month, (self.crate, 2, 77.0, False), (self.crate, 1, 10.0, True)
        )
        self.assertTrue(self.cart._is_cart_ready())

    def test_last_recurring_line_takes_the_plan_along(self):
        self._add_on(self.month)
        self._add(self.mug)
        self._update(self.cart.order_line[0], 0)
        self.assertCart(None, (self.mug, 1, 5.0, False))
        self._add_on(self.year)
        self.assertEqual(self.cart.plan_id, self.year)

    def test_cleared_and_archived(self):
        self._add_on(self.month)
        self.make_jsonrpc_request("/shop/cart/clear", {})
        self.assertCart(None)
        self._add_on(self.month)
        self.crate.active = False
        self.assertCart(None)

    # === QUANTITIES ===

    def test_quantity_breaks(self):
        """9.00 from 3 on; the plan of a quarter begins at 5."""
        quarter = self._create_plan(name="Quarterly", billing_period_value=3)
        self._price(self.crate, self.month, 9.0, min_quantity=3)
        self._price(self.crate, quarter, 25.0, min_quantity=5)
        self._add_on(self.month, quantity=2)
        self.assertCart(self.month, (self.crate, 2, 10.0, True))
        self._update(self.cart.order_line, 3)
        self.assertCart(self.month, (self.crate, 3, 9.0, True))
        self.make_jsonrpc_request("/shop/cart/clear", {})
        self.assertRefused(self._add_on(quarter, quantity=4), "is not sold like that")
        self._add_on(quarter, quantity=5)
        self._add_on(quarter, quantity=1)
        self.assertCart(quarter, (self.crate, 6, 25.0, True))
        result = self._update(self.cart.order_line, 4)
        self.assertIn("not in this quantity", result["warning"])
        self.assertCart(quarter, (self.crate, 6, 25.0, True))

    def test_updated_with_a_plan(self):
        """A script cannot change the plan by way of a quantity."""
        self._add_on(self.month)
        self._update(self.cart.order_line, 2, plan_id=self.year.id)
        self.assertCart(self.month, (self.crate, 2, 10.0, True))

    def test_no_quantity(self):
        for quantity in (0, -1):
            self._add_on(self.month, quantity=quantity)
            self.assertCart(None)

    # === WHAT CHANGES WHILE IT LIES THERE ===

    def assertStops(self, text):
        """Check that the cart says it, and that no step of the checkout goes on."""
        cart = self.cart
        self.assertFalse(cart._is_cart_ready())
        self.assertIn(text, self.url_open("/shop/cart").text)
        for step in ("/shop/checkout", "/shop/payment"):
            self.assertTrue(self.url_open(step).url.endswith("/shop/cart"), step)
        refusal = self._refusal(
            f"/shop/payment/transaction/{cart.id}",
            access_token=cart._portal_ensure_token(),
        )
        self.assertIn(text, refusal)
        self.assertFalse(cart.transaction_ids)

    def test_what_was_sold_and_is_not_any_more(self):
        changes = {
            "archived plan": lambda: self.month.write({"active": False}),
            "price gone": lambda: self.crate.recurring_rule_ids.filtered(
                lambda rule: rule.plan_id == self.month
            ).unlink(),
            "no subscription product": lambda: self.crate.write(
                {"recurring_invoice": False}
            ),
            "by delivered quantities": lambda: self.crate.write(
                {"invoice_policy": "delivery"}
            ),
            "aligned": lambda: self.month.write({"billing_first_day": True}),
        }
        for name, change in changes.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self._add_on(self.month)
                change()
                self.env.flush_all()
                self.assertStops("is not sold on this plan")
                savepoint.rollback()
                self.env.invalidate_all()

    def test_plan_of_another_company(self):
        self._add_on(self.month)
        other = self.env["res.company"].create({"name": "Other"})
        self.env.cr.execute(
            "UPDATE sale_subscription_plan SET company_id = %s WHERE id = %s",
            (other.id, self.month.id),
        )
        self.env.invalidate_all()
        self.assertStops("is not sold on this plan")

    def test_one_time_sale_that_ends(self):
        self.crate.allow_one_time_sale = True
        self._add(self.crate, plan_id=0)
        self.crate.allow_one_time_sale = False
        self.assertStops("is only sold with a recurring plan")

    def test_product_that_becomes_one_of_subscriptions(self):
        self._add(self.mug)
        self.mug.recurring_invoice = True
        self.assertStops("is only sold with a recurring plan")

    def test_cart_from_before_there_were_plans_in_the_shop(self):
        self._add(self.mug)
        self.env["sale.order.line"].create(
            {"order_id": self.cart.id, "product_id": self.crate.id}
        )
        self.assertTrue(self.cart.order_line[1].recurring_invoice)
        self.assertStops("is not sold on this plan")

    def test_nothing_to_pay_now(self):
        """No payment, no payment method for the next periods."""
        self._add_on(self.month)
        self._add(self.mug)
        self.cart.order_line[1].price_unit = -10.0
        self.assertEqual(self.cart.amount_total, 0.0)
        self.assertFalse(self.cart._is_cart_ready())
        self.assertIn("nothing to pay now", self.cart._get_cart_problem())

    # === PRICES ARE COMPUTED AGAIN, CARTS ARE FOUND AGAIN ===

    def test_recomputed_cart_keeps_plan_and_price(self):
        self._add_on(self.year)
        self.cart._recompute_cart()
        self.assertCart(self.year, (self.crate, 1, 100.0, True))
        self.url_open("/shop/payment")
        self.assertCart(self.year, (self.crate, 1, 100.0, True))

    def test_cart_goes_along_when_the_visitor_signs_in(self):
        self.authenticate(None, None)
        self._add_on(self.year)
        cart = self.cart
        self.authenticate("sam", "sam", session_extra={"sale_order_id": cart.id})
        self.url_open("/shop/cart")
        self.assertEqual(cart.partner_id, self.sam.partner_id)
        self.assertCart(self.year, (self.crate, 1, 100.0, True))

    def test_abandoned_cart_is_found_again(self):
        self._add_on(self.year)
        cart = self.cart
        self.authenticate("sam", "sam")
        self.assertIn("Yearly: ", self.url_open("/shop/cart").text)
        self.assertEqual(self.cart, cart)
        self.assertCart(self.year, (self.crate, 1, 100.0, True))

    def _abandon(self, plan):
        """A cart on a plan, with a mug; returns the link of the reminder."""
        self.authenticate(None, None)
        self._add_on(plan)
        self._add(self.mug)
        cart = self.cart
        token = cart._portal_ensure_token()
        self.authenticate("sam", "sam")
        return f"/shop/cart?id={cart.id}&access_token={token}&revive_method=merge"

    def test_abandoned_cart_is_merged(self):
        link = self._abandon(self.year)
        self._add(self.mug)
        self.url_open(link)
        self.assertCart(
            self.year,
            (self.crate, 1, 100.0, True),
            (self.mug, 1, 5.0, False),
            (self.mug, 1, 5.0, False),
        )

    def test_abandoned_cart_of_another_plan_is_merged_without_it(self):
        link = self._abandon(self.year)
        self._add_on(self.month)
        self.assertIn("Left out", self.url_open(link).text)
        self.assertCart(
            self.month, (self.mug, 1, 5.0, False), (self.crate, 1, 10.0, True)
        )

    def test_shop_for_those_who_have_signed_in(self):
        self.website.ecommerce_access = "logged_in"
        self.authenticate(None, None)
        self._refusal(
            "/shop/cart/add",
            product_template_id=self.crate.product_tmpl_id.id,
            product_id=self.crate.id,
            plan_id=self.month.id,
        )
        self.assertFalse(self.cart.order_line)
