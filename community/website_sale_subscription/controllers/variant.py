from odoo.http import request, route

from odoo.addons.website_sale.controllers.variant import WebsiteSaleVariantController


class SubscriptionVariantController(WebsiteSaleVariantController):
    @route()
    def get_combination_info_website(self, *args, plan_id=None, **kwargs):
        """Take the plan chosen on the page, and send the choices for this variant."""
        plans = request.env["sale.subscription.plan"]
        request.update_context(shop_plan_id=plans._parse_shop_plan_id(plan_id))
        info = super().get_combination_info_website(*args, **kwargs)
        if "plan_choices" in info:
            info["plan_choices_html"] = request.env["ir.ui.view"]._render_template(
                "website_sale_subscription.plan_choices", {"combination_info": info}
            )
        return info
