from odoo import models

# Of a purchase order that is raised instead of making another one.
OPEN = ("draft", "sent", "to approve")


class SaleOrderLine(models.Model):
    """A line is bought as far as it was not sold, and bought, on an upsell."""

    _inherit = "sale.order.line"

    def _is_bought_on_upsell(self):
        """Tell whether all that is bought of this line is bought for its upsells.

        :rtype: bool
        """
        self.ensure_one()
        product = self.product_id.with_company(self._purchase_service_get_company())
        return bool(
            product.service_to_purchase
            and not self.purchase_line_count
            and self._get_quantity_of_upsells()
        )

    def _purchase_service_generation(self):
        """Not when an order that was cancelled is confirmed again."""
        lines = self.filtered(lambda line: not line._is_bought_on_upsell())
        return super(SaleOrderLine, lines)._purchase_service_generation()

    def _purchase_increase_ordered_qty(self, new_qty, origin_values):
        """Buy what somebody adds on the subscription, without what upsells bought."""
        upsold = self.filtered(lambda line: line._get_quantity_of_upsells())
        for line in upsold:
            joined = line._get_quantity_of_upsells()
            wanted = new_qty - joined
            last = line.purchase_line_ids.sorted("id")[-1:]
            bought = last.product_uom_id._compute_quantity(
                last.product_qty, line.product_uom_id
            )
            # An open order would be lowered to what is wanted.
            if last.state not in OPEN or wanted > bought:
                origin = {line.id: origin_values.get(line.id, 0.0) - joined}
                super(SaleOrderLine, line)._purchase_increase_ordered_qty(
                    wanted, origin
                )
        rest = self - upsold
        return super(SaleOrderLine, rest)._purchase_increase_ordered_qty(
            new_qty, origin_values
        )

    def write(self, vals):
        """Buy what somebody adds to a line of which nothing else is bought."""
        before = {}
        if "product_uom_qty" in vals:
            lines = self.sudo().filtered(lambda line: line.state == "sale")
            lines = lines.filtered(lambda line: line._is_bought_on_upsell())
            before = {line: line.product_uom_qty for line in lines}
        result = super().write(vals)
        for line, quantity in before.items():
            if line.product_uom_qty > quantity:
                line._purchase_service_create(quantity=line.product_uom_qty - quantity)
        return result
