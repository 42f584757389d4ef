from odoo.http import request

from odoo.addons.website_sale.controllers.product_configurator import (
    WebsiteSaleProductConfiguratorController,
)


class SubscriptionConfiguratorController(WebsiteSaleProductConfiguratorController):
    """The dialog for options: of the product, and products that go with it."""

    @staticmethod
    def _populate_currency_and_pricelist(kwargs):
        """Take the plan, too, wherever the dialog asks for prices."""
        WebsiteSaleProductConfiguratorController._populate_currency_and_pricelist(
            kwargs
        )
        plans = request.env["sale.subscription.plan"]
        wanted = plans._parse_shop_plan_id(kwargs.pop("plan_id", None))
        request.update_context(shop_plan_id=wanted)

    def _should_show_product(self, product_template, parent_combination):
        """Offer only what can be added along with the plan that was chosen."""
        if not super()._should_show_product(product_template, parent_combination):
            return False
        if not request.is_frontend or not product_template.recurring_invoice:
            return True
        plans = product_template._get_shop_plans(request.pricelist)
        wanted = request.env.context.get("shop_plan_id")
        cart_plan = request.cart.plan_id
        return product_template._resolve_shop_plan(plans, wanted, cart_plan) is not None
