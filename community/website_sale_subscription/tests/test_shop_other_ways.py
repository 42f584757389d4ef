from odoo.fields import Command
from odoo.tests import tagged

from .common import ShopCase


@tagged("post_install", "-at_install")
class TestShopOtherWays(ShopCase):
    """Ways into the cart that do not lead over the page of the product."""

    def setUp(self):
        super().setUp()
        self.authenticate("sam", "sam")

    def test_quick_add(self):
        result = self.make_jsonrpc_request(
            "/shop/cart/quick_add",
            {
                "product_template_id": self.crate.product_tmpl_id.id,
                "product_id": self.crate.id,
            },
        )
        self.assertRefused(result, "Choose a plan on its page")

    def test_ordering_again(self):
        """What runs is not ordered a second time; what was bought once may be."""
        order = self.env["sale.order"].create(
            {
                "partner_id": self.sam.partner_id.id,
                "plan_id": self.month.id,
                "website_id": self.website.id,
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": 1})
                    for product in (self.crate, self.mug)
                ],
            }
        )
        order.action_confirm()
        self.make_jsonrpc_request("/my/orders/reorder", {"order_id": order.id})
        self.assertCart(None, (self.mug, 1, 5.0, False))
        self.make_jsonrpc_request("/shop/cart/clear", {})
        history = self.url_open("/shop/cart").text
        self.assertIn("Mug", history)
        self.assertNotIn("Crate", history)

    def test_part_of_a_combo(self):
        combo = self.env["product.combo"].create(
            {
                "name": "Choice",
                "combo_item_ids": [Command.create({"product_id": self.crate.id})],
            }
        )
        bundle = self._create_shop_product(
            "Bundle",
            type="combo",
            recurring_invoice=False,
            combo_ids=[Command.set(combo.ids)],
            list_price=20.0,
        )
        result = self._add(
            bundle,
            linked_products=[
                {
                    "product_template_id": self.crate.product_tmpl_id.id,
                    "product_id": self.crate.id,
                    "parent_product_template_id": bundle.product_tmpl_id.id,
                    "quantity": 1,
                    "combo_item_id": combo.combo_item_ids.id,
                    "product_custom_attribute_values": [],
                    "no_variant_attribute_value_ids": [],
                }
            ],
        )
        self.assertRefused(result, "not sold as a part")
        self.assertCart(None)
