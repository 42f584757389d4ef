from odoo import api, fields, models

# What the MRR is made of.
MRR_FIELDS = {
    "discount",
    "discount_recurrence",
    "price_unit",
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "recurring_invoice",
    "tax_ids",
}


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = [
        "sale.subscription.line.portal",
        "sale.subscription.line.upsell",
        "sale.subscription.line.invoicing",
        "sale.subscription.line.amounts",
        "sale.subscription.line.discount",
        "sale.subscription.line.pricing",
        "sale.subscription.line.due",
        "sale.order.line",
        "sale.subscription.guarded",
    ]

    # No trigger on the product's own field: what runs must not change because someone
    # edits a product, as with Community's invoicing policy.
    recurring_invoice = fields.Boolean(
        string="Recurring",
        compute="_compute_recurring_invoice",
        store=True,
        precompute=True,
        # A credit for a recurring product is given once.
        readonly=False,
    )
    parent_line_id = fields.Many2one(
        "sale.order.line",
        string="Original Line",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The line of the parent subscription that this upsell or renewal line"
        " continues.",
    )

    is_days_line = fields.Boolean(
        string="Prorated",
        copy=False,
        readonly=True,
        help="Charges or credits some days of a period, and does not count toward the "
        "value of the order.",
    )
    charged_from = fields.Date(
        copy=False,
        readonly=True,
        help="First day that this one-off line charges of the subscription.",
    )
    charged_until = fields.Date(
        copy=False, readonly=True, help="First day after those that this line charges."
    )

    _discount_periods_not_negative = models.Constraint(
        "CHECK (discount_recurrence <> 'periods' OR discount_periods > 0)",
        "A discount for a number of periods needs at least one.",
    )

    @api.depends("product_id")
    def _compute_recurring_invoice(self):
        for line in self:
            line.recurring_invoice = line.product_id.recurring_invoice

    # === MRR ===

    @api.model_create_multi
    def create(self, vals_list):
        """Count what new lines add to running subscriptions, in order."""
        lines = super().create(vals_list)
        lines.order_id._update_recurring_discounts()
        lines._get_orders_to_log(recurs=True)._log_mrr()
        lines._begin_discounts(vals_list)
        return lines

    def write(self, vals):
        """Count what an edit changes on running subscriptions, in order."""
        said_anew = self._get_discounts_said_anew(vals)
        counts = bool(MRR_FIELDS & vals.keys())
        # Before it, too: the edit may make the line one that does not count.
        recurs = "recurring_invoice" in vals
        orders = counts and self._get_orders_to_log(recurs)
        result = super().write(vals)
        if counts:
            self.order_id._update_recurring_discounts()
            (orders | self._get_orders_to_log(recurs))._log_mrr()
        said_anew._begin_discounts_anew()
        return result

    def unlink(self):
        """Count what is taken from a running subscription."""
        orders, changed = self._get_orders_to_log(recurs=True), self.order_id
        result = super().unlink()
        changed._update_recurring_discounts()
        orders._log_mrr()
        return result

    def _get_orders_to_log(self, recurs=False):
        """Return the running orders of which these lines make up the MRR.

        :param bool recurs: also those that recur by nothing else than these lines
        :rtype: sale.order
        """
        lines = self.filtered(
            lambda line: line.order_id.subscription_state == "3_progress"
        )
        orders = lines.filtered(lambda line: line._is_invoiced_in_advance()).order_id
        if recurs:
            orders |= lines.filtered("recurring_invoice").order_id.filtered(
                lambda o: not (o.order_line - self).filtered("recurring_invoice")
            )
        return orders

    def _get_protected_fields(self):
        """Let this module change locked orders: the lock guards against people."""
        if self.env.su and self.env.context.get("subscription_update"):
            return []
        return super()._get_protected_fields()
