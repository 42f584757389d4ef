from odoo import models


class PaymentProvider(models.Model):
    """Which providers may be used for a subscription of the shop."""

    _inherit = "payment.provider"

    def _get_subscription_cart(self, sale_order_id):
        """Return the cart that is to be paid, if it is a subscription.

        :param sale_order_id: as it comes with a request
        :rtype: sale.order, as superuser
        """
        orders = self.env["sale.order"].sudo()
        try:
            order = orders.browse(int(sale_order_id or 0)).exists()
        except (TypeError, ValueError, OverflowError):
            return orders
        return order.filtered(lambda o: o.plan_id and o._is_open_cart())

    def _is_tokenization_required(self, sale_order_id=None, **kwargs):
        """Save the payment method of a subscription: the next periods are charged."""
        return bool(self._get_subscription_cart(sale_order_id)) or (
            super()._is_tokenization_required(sale_order_id=sale_order_id, **kwargs)
        )

    def _get_compatible_providers(
        self, *args, is_express_checkout=False, sale_order_id=None, **kwargs
    ):
        """Offer no express checkout: it saves nothing."""
        providers = super()._get_compatible_providers(
            *args,
            is_express_checkout=is_express_checkout,
            sale_order_id=sale_order_id,
            **kwargs,
        )
        if is_express_checkout and self._get_subscription_cart(sale_order_id):
            return providers.browse()
        return providers
