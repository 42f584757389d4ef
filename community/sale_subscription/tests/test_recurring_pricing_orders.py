from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .pricing_common import RecurringPricingCase


@tagged("post_install", "-at_install")
class TestPriceOnOrders(RecurringPricingCase):
    """When the price of a line follows the plan, and when it does not.

    The fee costs 10; 7 on the monthly plan, 70 on the yearly one.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_rule(7.0, plan_id=cls.plan.id)
        cls._create_rule(70.0, plan_id=cls.yearly.id)

    def _create_running(self, *products, start="2026-01-01", **values):
        with freeze_time(start):
            order = self._create_priced(*products, **values)
            order.action_confirm()
        return order

    # === QUOTATIONS ===

    def test_new_plan_of_a_quotation(self):
        order = self._create_priced(self.fee, self.setup_fee)
        for plan, price in (
            (self.yearly, 70),
            (self.plan.browse(), 10),
            (self.plan, 7),
        ):
            order.plan_id = plan
            self.assertEqual(order.order_line.mapped("price_unit"), [price, 40])
            self.assertEqual(order.amount_untaxed, price + 40)

    def test_new_plan_of_a_sent_quotation(self):
        order = self._create_priced(state="sent")
        order.write({"plan_id": self.yearly.id})
        self.assertEqual(order.order_line.price_unit, 70.0)

    def test_price_entered_by_hand_stays(self):
        order = self._create_priced(self.fee, self.fee)
        by_hand, other = order.order_line
        by_hand.price_unit = 6.5
        order.plan_id = self.yearly
        self.assertEqual(by_hand.price_unit, 6.5)
        self.assertEqual(other.price_unit, 70.0)

    def test_new_plan_in_the_form(self):
        """The form shows the new price before it is saved."""
        order = self._create_priced(self.fee, self.setup_fee)
        with Form(order) as form:
            for plan, price in (
                (self.yearly, 70.0),
                (self.plan.browse(), 10.0),
                (self.yearly, 70.0),
            ):
                form.plan_id = plan
                self.assertEqual(self._prices_shown(form), [price, 40.0])
        self.assertEqual(order.order_line.mapped("price_unit"), [70.0, 40.0])

    def _prices_shown(self, form):
        prices = []
        for index in range(len(form.order_line)):
            with form.order_line.edit(index) as line:
                prices.append(line.price_unit)
        return prices

    def test_price_by_hand_in_the_form(self):
        order = self._create_priced()
        with Form(order) as form:
            form.plan_id = self.yearly
            with form.order_line.edit(0) as line:
                line.price_unit = 66.0
        self.assertEqual(order.order_line.price_unit, 66.0)
        with Form(order) as form:
            form.plan_id = self.plan
        self.assertEqual(order.order_line.price_unit, 66.0)

    def test_new_order_in_the_form(self):
        """Plan before product, and product before plan."""
        self._create_general_price(8.0, plan_id=self.plan.id)
        self._create_general_price(80.0, plan_id=self.yearly.id)
        form = Form(self.env["sale.order"])
        form.partner_id = self.partner
        form.plan_id = self.plan
        with form.order_line.new() as line:
            line.product_id = self.fee
            self.assertEqual(line.price_unit, 8.0)
        self.assertEqual(form.save().order_line.price_unit, 8.0)

        form = Form(self.env["sale.order"])
        form.partner_id = self.partner
        with form.order_line.new() as line:
            line.product_id = self.fee
            self.assertEqual(line.price_unit, 10.0)
        form.plan_id = self.yearly
        self.assertEqual(self._prices_shown(form), [80.0])
        self.assertEqual(form.save().order_line.price_unit, 80.0)

    def test_quantity_tier_on_a_quotation(self):
        self._create_rule(6.0, plan_id=self.plan.id, min_quantity=10)
        line = self._create_priced().order_line
        line.product_uom_qty = 10
        self.assertEqual(line.price_unit, 6.0)

    def test_update_prices(self):
        """The button reprices all, also what was entered by hand; as for any order."""
        order = self._create_priced(self.fee, self.setup_fee)
        order.order_line[0].price_unit = 1.0
        order.action_update_prices()
        self.assertEqual(order.order_line.mapped("price_unit"), [7.0, 40.0])

    # === DISCOUNTS ===

    def test_discount_of_the_plan_comes_and_goes(self):
        self._show_discounts()
        half_price = self._create_plan(name="Half price")
        self._create_rule(
            plan_id=half_price.id, compute_price="percentage", percent_price=50
        )
        order = self._create_priced()
        line = order.order_line
        for plan, price, discount in (
            (half_price, 10.0, 50.0),
            (self.plan, 7.0, 0.0),
            (half_price, 10.0, 50.0),
            (self.plan.browse(), 10.0, 0.0),
        ):
            order.plan_id = plan
            self.assertEqual((line.price_unit, line.discount), (price, discount))

    def test_discount_entered_by_hand_stays(self):
        self._show_discounts()
        self._create_rule(
            plan_id=self._create_plan(name="Third off").id,
            compute_price="percentage",
            percent_price=33.333,
        )
        order = self._create_priced()
        order.order_line.discount = 20.0
        order.plan_id = self.yearly
        self.assertEqual(order.order_line.discount, 20.0)
        self.assertEqual(order.amount_untaxed, 56.0)

    # === WHAT RUNS ===

    def test_running_subscription_is_not_priced_again(self):
        order = self._create_running()
        order.write({"plan_id": self.yearly.id})
        self.assertEqual(order.order_line.price_unit, 7.0)

    def test_recompute_on_a_running_invoiced_subscription(self):
        order = self._create_running(self.fee, self.setup_fee, self.fee)
        fee, setup, by_hand = order.order_line
        by_hand.price_unit = 5.0
        self._run_cron("2026-01-01")
        self.assertEqual(fee.qty_invoiced, 1.0)
        order.write({"plan_id": self.yearly.id})
        changed = order._recompute_recurring_prices()
        self.assertEqual(changed, fee)
        self.assertEqual((fee + setup + by_hand).mapped("price_unit"), [70, 40, 5])
        self.assertFalse(order._recompute_recurring_prices())
        invoice = order.invoice_ids
        self.assertEqual(invoice.amount_untaxed, 52.0)

    def test_recompute_takes_the_prices_of_that_day(self):
        """Confirmed in January at 7; from March on the year costs 77."""
        order = self._create_running()
        self.pricelist.recurring_item_ids.filtered(
            lambda rule: rule.plan_id == self.yearly
        ).date_end = "2026-02-28 23:59:59"
        self._create_rule(77.0, plan_id=self.yearly.id, date_start="2026-03-01")
        order.write({"plan_id": self.yearly.id})
        with freeze_time("2026-02-15"):
            order._recompute_recurring_prices()
            self.assertEqual(order.order_line.price_unit, 70.0)
        with freeze_time("2026-03-15"):
            # Somebody has looked at the rule of the order's own date before.
            self.assertEqual(order.order_line.pricelist_item_id.fixed_price, 70.0)
            order._recompute_recurring_prices()
            self.assertEqual(order.order_line.price_unit, 77.0)
        # The date of the order is asked for elsewhere again.
        ordered = fields.Datetime.to_datetime("2026-01-01")
        self.assertEqual(order.order_line._get_order_date(), ordered)

    def test_recompute_keeps_a_negotiated_discount(self):
        self._show_discounts()
        order = self._create_running()
        order.order_line.discount = 20.0
        order.write({"plan_id": self.yearly.id})
        order._recompute_recurring_prices()
        self.assertEqual(order.order_line.price_unit, 70.0)
        self.assertEqual(order.order_line.discount, 20.0)

    def test_recompute_drops_the_discount_of_the_old_plan(self):
        """Also where the rule that gave it has ended since."""
        self._show_discounts()
        half_price = self._create_plan(name="Half price")
        rule = self._create_rule(
            plan_id=half_price.id, compute_price="percentage", percent_price=50
        )
        order = self._create_running(plan_id=half_price.id)
        self.assertEqual(order.order_line.discount, 50.0)
        rule.date_end = order.date_order + timedelta(days=1)
        order.write({"plan_id": self.yearly.id})
        order._recompute_recurring_prices()
        self.assertEqual(order.order_line.price_unit, 70.0)
        self.assertEqual(order.order_line.discount, 0.0)

    def test_lines_a_module_leaves_out(self):
        order = self._create_running(self.fee, self.fee)
        order.write({"plan_id": self.yearly.id})
        first, second = order.order_line
        self.patch(
            self.registry["sale.order"],
            "_get_recurring_price_lines",
            lambda self: self.order_line[1:],
        )
        self.assertEqual(order._recompute_recurring_prices(), second)
        self.assertEqual((first + second).mapped("price_unit"), [7.0, 70.0])

    def test_lines_that_are_not_products(self):
        order = self._create_running(self.fee, self.setup_fee)
        order.order_line.create(
            {"order_id": order.id, "display_type": "line_note", "name": "A note"}
        )
        lines = order._get_recurring_price_lines()
        self.assertEqual(lines.product_id, self.fee)

    # === CATALOG ===

    def test_catalog_shows_the_price_of_the_plan(self):
        """Also where a price is for all products: the others are not recurring."""
        self._create_rule(6.0, plan_id=self.plan.id, applied_on="3_global")
        order = self._create_priced(self.hours)
        info = order._get_product_catalog_order_line_info(
            [self.fee.id, self.setup_fee.id]
        )
        self.assertEqual(info[self.fee.id]["price"], 7.0)
        self.assertEqual(info[self.setup_fee.id]["price"], 40.0)


@tagged("post_install", "-at_install")
class TestOneTimeSale(RecurringPricingCase):
    """A subscription product on an order without plan."""

    def test_refused(self):
        order = self._create_quotation(plan_id=False)
        for action in (order.action_confirm, order.action_quotation_send):
            with self.assertRaisesRegex(UserError, "Base fee.*recurring plan"):
                action()
        self.assertEqual(order.state, "draft")

    def test_with_a_plan(self):
        order = self._create_quotation()
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        order.action_quotation_send()

    def test_allowed(self):
        """It costs what it costs without a plan."""
        self._create_rule(7.0, plan_id=self.plan.id)
        self.fee.allow_one_time_sale = True
        order = self._create_priced(plan_id=False)
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.amount_untaxed, 10.0)
        self.fee.allow_one_time_sale = False
        order.action_quotation_send()
        self.assertEqual(order.state, "sale")

    def test_one_product_of_several(self):
        self.fee.allow_one_time_sale = True
        order = self._create_quotation(self.fee, self.hours, plan_id=False)
        with self.assertRaisesRegex(UserError, "Hours"):
            order.action_confirm()

    def test_ordinary_products_and_text(self):
        order = self._create_quotation(self.setup_fee, plan_id=False)
        order.order_line.create(
            {"order_id": order.id, "display_type": "line_section", "name": "Services"}
        )
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_quoted_before_it_became_a_subscription_product(self):
        order = self._create_quotation(self.setup_fee, plan_id=False)
        self.setup_fee.recurring_invoice = True
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_upsell(self):
        parent = self._create_quotation()
        order = self._create_quotation(
            subscription_state="7_upsell", subscription_id=parent.id
        )
        self.assertFalse(order._get_missing_plan_message())
