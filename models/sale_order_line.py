from odoo import api, fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    fc_charge_id = fields.Many2one(
        "fusion.billing.charge",
        string="Usage Charge",
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
        readonly=True,
        help="The line bills this charge. Its price is set by rating.",
    )

    _fc_one_line_per_charge = models.UniqueIndex(
        "(order_id, fc_charge_id) WHERE fc_charge_id IS NOT NULL",
        "A subscription has one usage line for each charge.",
    )

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_price_unit(self):
        # The price list must not overwrite what was rated. Odoo spares lines
        # with a manual price only until the amount happens to be the list's.
        super(
            SaleOrderLine, self.filtered(lambda line: not line.fc_charge_id)
        )._compute_price_unit()

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_discount(self):
        super(
            SaleOrderLine, self.filtered(lambda line: not line.fc_charge_id)
        )._compute_discount()

    def _get_recurring_invoice_description(self):
        """A usage line names its own window, which lies behind the plan's period."""
        if self.fc_charge_id:
            return False
        return super()._get_recurring_invoice_description()
