from odoo import models
from odoo.tools import float_is_zero


class SaleSubscriptionLinePortal(models.AbstractModel):
    """What customers read of a line, and may do with it."""

    _name = "sale.subscription.line.portal"
    _description = "Lines on the Portal"

    def _is_option_of_customer(self):
        """Tell whether this is optional, not taken yet, and may be added as it is.

        Not what is free or a discount, nor what is not sold any more.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self._is_line_optional()
            and not self.product_uom_qty
            and self._is_invoiced_in_advance()
            and not self.is_downpayment
            and not self.recurring_discount_type
            and not self.combo_item_id
            and self.product_id.type != "combo"
            and self.product_id.active
            and self.product_id.sale_ok
            and self.price_unit > 0
            and self.discount < 100
        )

    def _get_option_amounts(self, share=None):
        """Return what one of this optional line costs, as the invoices will say.

        With what the discounts by percentage on all of the order take off.

        :param tuple share: (days charged, days of a whole period), for what is due now;
            None: what a whole period costs from the next invoice on
        :return: untaxed, tax and total in the currency of the order
        :rtype: dict[str, float]
        """
        self.ensure_one()
        order, Discount = self.order_id, self.env["sale.subscription.discount"]

        def holds(line):
            if share:
                return not line.discount_ended
            return line._get_discount_periods_left() != 0

        discount = self._get_discount(holds(self))
        base_lines = [Discount._get_base_line(self, quantity=1, discount=discount)]
        for key, group in order._get_discount_groups().items():
            first = group[0]
            carried = first.recurring_discount_type == "percent"
            if carried and first._is_discount_given() and holds(first):
                base_lines += Discount._get_discount_base_lines(group, base_lines, key)
        if share:
            self.env["sale.subscription.schedule"]._prorate_lines(
                order, base_lines, share
            )
        return Discount._get_totals(order, base_lines)

    def _is_quantity_of_customer(self):
        """Tell whether the customer may change the quantity, if the plan allows it.

        Not of what is free or a discount: more of that would cost less.

        :rtype: bool
        """
        self.ensure_one()
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        return bool(
            self._is_invoiced_in_advance()
            and not self.is_downpayment
            and not self.combo_item_id
            and not self.recurring_discount_type
            and self.product_uom_qty >= 1
            and float_is_zero(self.product_uom_qty % 1, precision_digits=digits)
            and self.price_subtotal > 0
        )

    def _has_price_of_one(self):
        """Tell whether the price of a measured line is that of one unit; a hook.

        :rtype: bool
        """
        self.ensure_one()
        return bool(self.price_unit)

    def _get_recurrence_note(self):
        """Return what customers read under a line: how often, how long its discount.

        :rtype: str | bool
        """
        self.ensure_one()
        order = self.order_id
        if not order.plan_id or self.display_type or self.is_downpayment:
            return False
        if not self.recurring_invoice:
            return self.env._("once")
        values = {
            "every": order.plan_id._get_every_text(),
            "count": self._get_discount_periods_left(),
        }
        if not values["count"] or not (self.discount or self.recurring_discount_type):
            return values["every"]
        if self.recurring_discount_type:
            if values["count"] == 1:
                return self.env._("next invoice only")
            return self.env._("%(every)s, %(count)s times", **values)
        if values["count"] == 1:
            return self.env._("%(every)s; discount on the next invoice only", **values)
        return self.env._("%(every)s; discount %(count)s times", **values)
