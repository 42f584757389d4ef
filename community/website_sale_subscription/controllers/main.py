from odoo.http import request

from odoo.addons.website_sale.controllers.main import WebsiteSale


class SubscriptionShop(WebsiteSale):
    def _check_cart(self, order_sudo):
        """Lead back to the cart, which says why it cannot be paid."""
        redirection = super()._check_cart(order_sudo)
        if not redirection and order_sudo._get_cart_problem():
            return request.redirect("/shop/cart")
        return redirection
