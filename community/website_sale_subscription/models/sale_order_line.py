from odoo import models


class SaleOrderLine(models.Model):
    """Lines of a cart that is a subscription."""

    _inherit = "sale.order.line"

    def _get_shop_problem(self):
        """Return why this line cannot be sold in the shop as it is.

        :rtype: str | bool
        """
        self.ensure_one()
        product = self.product_id
        if self.recurring_invoice:
            return self._get_plan_problem(self.product_uom_qty)
        if product.recurring_invoice and not product.allow_one_time_sale:
            return self.env._(
                "%s is only sold with a recurring plan. Remove it, and choose a plan on"
                " its page.",
                product.name,
            )
        return False

    def _get_plan_problem(self, quantity):
        """Return why so much of the product is not sold on the plan of the cart.

        :param float quantity: in the unit of the line
        :rtype: str | bool
        """
        self.ensure_one()
        order = self.order_id
        plans = self.product_template_id.with_company(order.company_id)._get_shop_plans(
            order.pricelist_id, self.product_id, quantity, self.product_uom_id
        )
        if order.plan_id and order.plan_id in plans:
            return False
        return self.env._(
            "%s is not sold on this plan, or not in this quantity. Remove it, and"
            " choose a plan on its page.",
            self.product_id.name,
        )

    def _get_recurring_text(self):
        """Return what the cart says about a recurring line: plan and price per period.

        :rtype: str, empty for others
        """
        self.ensure_one()
        plan = self.order_id.plan_id.sudo()
        if not plan or not self.recurring_invoice:
            return ""
        return self.env._(
            "%(plan)s: %(price)s / %(period)s",
            plan=plan.name,
            price=self.currency_id.format(self._get_cart_display_price()),
            period=plan._get_price_period(),
        )

    def _is_reorder_allowed(self):
        """Ordering again would be a second subscription to what runs already."""
        return not self._is_on_plan() and super()._is_reorder_allowed()

    def _is_on_plan(self):
        """Tell whether the line was sold on a plan, and not once.

        :rtype: bool
        """
        return self.recurring_invoice and bool(self.order_id.plan_id)

    def write(self, vals):
        """Keep one plan in a cart that takes over the lines of an abandoned one."""
        if "order_id" not in vals:
            return super().write(vals)
        cart = self.env["sale.order"].browse(vals["order_id"])
        return super(SaleOrderLine, cart._welcome_lines(self)).write(vals)

    def unlink(self):
        """Let a cart without recurring lines be an ordinary one again."""
        orders = self.order_id
        result = super().unlink()
        orders.exists()._forget_unused_plan()
        return result
