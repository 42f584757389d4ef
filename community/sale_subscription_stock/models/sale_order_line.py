from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.tools import float_compare

from odoo.addons.sale.models.sale_order_line import SaleOrderLine as SalesOrderLine


class SaleOrderLine(models.Model):
    """Goods of a subscription: one delivery in each period that is charged.

    Until the first invoice is posted the subscription is an order like any other: its
    confirmation delivers, and so does an edit. From then on each period delivers what
    it charges, and nothing else does.
    """

    _inherit = "sale.order.line"

    procured_until = fields.Date(
        copy=False,
        readonly=True,
        help="First day for which nothing is delivered yet: what is charged from here"
        " on is delivered with it.",
    )
    procured_quantity = fields.Float(
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="What is delivered for the period before that day.",
    )

    # === WHAT IS DELIVERED WHEN ===

    def _is_delivered_each_period(self):
        """Tell whether the line sells goods that every period delivers again.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self._is_subscription_line()
            and not self.display_type
            and not self.is_expense
            and self.product_id.type == "consu"
        )

    def _is_delivered_by_period(self):
        """Tell whether the periods deliver it, and no longer what Odoo does by itself.

        A line that charges or gives back days sells nothing, either.

        :rtype: bool
        """
        self.ensure_one()
        if self._is_delivered_each_period():
            return bool(self.order_id.last_invoice_date)
        is_of_days = self.charged_from or self.price_unit < 0
        return bool(
            self.order_id.plan_id
            and is_of_days
            and not self.recurring_invoice
            and self.product_id.recurring_invoice
        )

    def _get_quantity_charged(self, start):
        """Return how much the period from ``start`` on is to deliver.

        What its invoice charges; of what is charged afterwards, what is ordered.

        :param datetime.date start: first day of a period that was just invoiced
        :return: quantity in the unit of the line
        :rtype: float
        """
        self.ensure_one()
        if not self._is_invoiced_in_advance():
            return self.product_uom_qty
        charged = 0.0
        for line in (
            self.order_id._get_period(start).move_id.invoice_line_ids
            & self.invoice_lines
        ):
            sign = -1 if line.move_id.move_type == "out_refund" else 1
            charged += sign * line.product_uom_id._compute_quantity(
                line.quantity, self.product_uom_id
            )
        return charged

    def _deliver_period(self, start, end, quantities):
        """Procure what the period ``[start, end)`` charges and was not procured yet.

        Not again when it is invoiced anew, nor what confirmation has delivered.

        :param datetime.date start: its first day
        :param datetime.date end: the first day after it
        :param dict quantities: to be delivered, in the unit of each line
        """
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        procurements = []
        for line in self:
            line = line.with_company(line.company_id)
            until = line.procured_until
            if not until:
                done = line._get_qty_procurement()
            else:
                done = line.procured_quantity if start < until else 0.0
            wanted = quantities[line]
            line.procured_until = max(until or end, end)
            line.procured_quantity = max(wanted, done)
            if float_compare(wanted, done, precision_digits=digits) > 0:
                procurements += line._prepare_period_procurements(wanted - done, start)
        if not procurements:
            return
        self.env["stock.rule"].run(procurements)
        # As Odoo does for an order: reservation begins with the transfer.
        pickings = self.order_id._get_period_reference(start).move_ids.picking_id
        pickings.filtered(lambda p: p.state not in ("done", "cancel")).action_confirm()

    def _prepare_period_procurements(self, quantity, start):
        """Return what `stock.rule` procures for a period.

        :param float quantity: in the unit of the line
        :param datetime.date start: first day of the period
        :rtype: list
        """
        self.ensure_one()
        values = self._prepare_procurement_values()
        reference = self.order_id._get_period_reference(start)
        values["reference_ids"] = reference
        values.update(self._get_delivery_dates(values, start))
        quantity, unit = self.product_uom_id._adjust_uom_quantities(
            quantity, self.product_id.uom_id
        )
        # The source document of a transfer is what a warehouse sees of all this.
        return [
            procurement._replace(origin=reference.name)
            for procurement in self._create_procurements(quantity, unit, values)
        ]

    def _get_delivery_dates(self, values, start):
        """Return when goods are to leave that are for days from ``start`` on.

        :param dict values: of a procurement, with the dates that Odoo gives it
        :param datetime.date start: first day of the period
        :rtype: dict
        """
        deadline = max(
            values["date_deadline"],
            datetime.combine(start, time(12)) + timedelta(days=self.customer_lead),
        )
        security = timedelta(days=self.order_id.company_id.security_lead)
        return {"date_deadline": deadline, "date_planned": deadline - security}

    # === HOOKS OF SALE_STOCK ===

    def _prepare_procurement_values(self):
        """Not before the subscription begins: a renewal is confirmed weeks ahead."""
        values = super()._prepare_procurement_values()
        order = self.order_id
        start = order.next_invoice_date or order.start_date
        begins = start and start > fields.Date.today() and not order.last_invoice_date
        if begins and self._is_delivered_each_period():
            values.update(self._get_delivery_dates(values, start))
        return values

    def _action_launch_stock_rule(self, **kwargs):
        """Leave to the periods what they deliver."""
        lines = self.filtered(lambda line: not line._is_delivered_by_period())
        return super(SaleOrderLine, lines)._action_launch_stock_rule(**kwargs)

    def _update_line_quantity(self, values):
        """A quantity may become less than what all periods have delivered."""
        lines = self.filtered(lambda line: line._is_delivered_by_period())
        # The note of Sales, without the check of Inventory in between.
        SalesOrderLine._update_line_quantity(lines, values)
        rest = self - lines
        return super(SaleOrderLine, rest)._update_line_quantity(values)

    @api.depends("order_id.last_invoice_date")
    def _compute_qty_to_deliver(self):
        """What is under way: all periods together deliver more than is ordered."""
        result = super()._compute_qty_to_deliver()
        for line in self:
            if line.state == "sale" and line._is_delivered_by_period():
                missing = line._get_qty_procurement() - line.qty_delivered
                line.qty_to_deliver = max(missing, 0.0)
        return result
