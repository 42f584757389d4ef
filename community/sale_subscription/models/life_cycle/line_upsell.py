from odoo import models

from ..base.quiet import create_quietly, write_quietly


class SaleSubscriptionLineUpsell(models.AbstractModel):
    """How the lines of an upsell become those of its subscription."""

    _name = "sale.subscription.line.upsell"
    _description = "Upsell Lines"

    def _join_subscription(self, parent):
        """Add what this upsell line sells to the subscription.

        :param parent: sale.order, the subscription
        """
        self.ensure_one()
        line = self.parent_line_id
        if (
            line.order_id == parent
            and line.product_id == self.product_id
            and line.product_uom_id == self.product_uom_id
            and line.price_unit == self.price_unit
            and line._has_discount_of(self)
            and line.tax_ids == self.tax_ids
        ):
            line._set_subscription_quantity(line.product_uom_qty + self.product_uom_qty)
            return
        [values] = self.with_context(active_test=False).copy_data(
            {"order_id": parent.id, "parent_line_id": False}
        )
        values |= self._prepare_joining_discount(parent)
        self.parent_line_id = create_quietly(self, [values])

    def _set_subscription_quantity(self, quantity):
        """Change a quantity on behalf of the subscription, on a locked order too.

        Nothing is procured or returned: what is more was sold on an upsell, what is
        less holds from the next period on. The caller writes the MRR log.

        :param float quantity: the new quantity, in the unit of the line
        """
        write_quietly(self, {"product_uom_qty": quantity})
        self.order_id._update_recurring_discounts()

    def _get_quantity_of_period(self):
        """Return the quantity that is charged for the current period already.

        More than the line has when it was lowered since: raising it again is free.

        :return: quantity in the unit of the line
        :rtype: float
        """
        self.ensure_one()
        order = self.order_id
        charged = 0.0
        for line in order._search_charged_days("posted") | order._search_charged_days(
            "draft"
        ):
            sold = line.sale_line_ids
            if self in sold | sold.parent_line_id:
                sign = -1 if line.move_id.move_type == "out_refund" else 1
                charged += sign * line.product_uom_id._compute_quantity(
                    line.quantity, self.product_uom_id
                )
        upsells = order.subscription_child_ids.filtered(
            lambda o: o._is_upsell_to_invoice()
        )
        pending = upsells.order_line.filtered(lambda line: line.parent_line_id == self)
        return charged + sum(pending.mapped("qty_to_invoice"))

    def _get_quantity_of_upsells(self):
        """Return how much of this line was sold on upsells, and procured for them.

        For apps that act on a raised quantity, or on a confirmed order.

        :return: quantity in the unit of the line
        :rtype: float
        """
        self.ensure_one()
        if not self._is_subscription_line():
            return 0.0
        upsells = self.order_id.sudo().subscription_child_ids.filtered(
            lambda o: o.subscription_state == "7_upsell" and o.state == "sale"
        )
        sold = upsells.order_line.filtered(lambda line: line.parent_line_id == self)
        quantity = sum(
            line.product_uom_id._compute_quantity(
                line.product_uom_qty, self.product_uom_id
            )
            for line in sold
        )
        return min(quantity, self.product_uom_qty)
