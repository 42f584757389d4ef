from odoo.addons.website_sale.controllers.cart import Cart


class SubscriptionCart(Cart):
    def _prepare_order_history(self):
        """Do not offer again what the customer is subscribed to."""
        values = super()._prepare_order_history()
        history = []
        for group in values["order_history"]:
            lines = group["lines"].filtered(lambda line: not line._is_on_plan())
            if lines:
                history.append({**group, "lines": lines})
        return {**values, "order_history": history}
