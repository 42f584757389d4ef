from odoo import models


class SaleOrderLine(models.Model):
    """A line has its task or project where it was sold: on the upsell."""

    _inherit = "sale.order.line"

    def _is_worked_on_upsell(self):
        """Tell whether the line came with an upsell, which has its task.

        :rtype: bool
        """
        self.ensure_one()
        return (
            not self.task_id
            and not self.project_id
            and bool(self._get_quantity_of_upsells())
        )

    def _timesheet_service_generation(self):
        """Not for what joined, when a cancelled order is confirmed again."""
        lines = self.filtered(lambda line: not line._is_worked_on_upsell())
        return super(SaleOrderLine, lines)._timesheet_service_generation()

    def write(self, vals):
        """Plan the hours of its own task: those of upsells are on tasks of theirs."""
        result = super().write(vals)
        planned = "product_uom_qty" in vals and not self.env.context.get(
            "no_update_allocated_hours"
        )
        for line in self if planned else ():
            joined = line._get_quantity_of_upsells()
            if joined and line.task_id and line.is_service:
                own = (line.product_uom_qty - joined) / line.product_uom_qty
                line.task_id.allocated_hours *= own
        return result
