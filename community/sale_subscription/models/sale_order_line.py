from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # No trigger on the product's own field: what runs must not change because someone
    # edits a product, as with Community's invoicing policy.
    recurring_invoice = fields.Boolean(
        string="Recurring",
        compute="_compute_recurring_invoice",
        store=True,
        precompute=True,
    )
    parent_line_id = fields.Many2one(
        "sale.order.line",
        string="Original Line",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The line of the parent subscription that this upsell or renewal line"
        " continues.",
    )

    @api.depends("product_id")
    def _compute_recurring_invoice(self):
        for line in self:
            line.recurring_invoice = line.product_id.recurring_invoice

    def _is_subscription_line(self):
        """Tell whether the line is invoiced again in every period of its order.

        :rtype: bool
        """
        return self.recurring_invoice and self.order_id.is_subscription

    # === QUANTITIES ===

    @api.depends(
        "recurring_invoice",
        "order_id.is_subscription",
        "order_id.subscription_state",
        "order_id.next_invoice_date",
        "order_id.end_date",
        "order_id.subscription_period_ids.released",
    )
    def _compute_qty_to_invoice(self):
        """Extend Community's: a recurring line counts only while its period is due.

        Ordered quantities are invoiced in full in every period; delivered ones as far
        as they were not invoiced yet.
        """
        result = super()._compute_qty_to_invoice()
        for line in self:
            if line.state != "sale" or not line._is_subscription_line():
                continue
            if not line.order_id._is_period_due():
                line.qty_to_invoice = 0
            elif line.product_id.invoice_policy == "order":
                line.qty_to_invoice = line.product_uom_qty
        return result

    @api.depends("qty_to_invoice", "price_reduce_taxexcl", "recurring_invoice")
    def _compute_untaxed_amount_to_invoice(self):
        """Only what is due: Community's ordered minus ever invoiced turns negative."""
        result = super()._compute_untaxed_amount_to_invoice()
        for line in self.filtered(lambda line: line._is_subscription_line()):
            line.untaxed_amount_to_invoice = (
                line.qty_to_invoice * line.price_reduce_taxexcl
            )
        return result

    @api.depends("qty_to_invoice", "price_reduce_taxinc", "recurring_invoice")
    def _compute_amount_to_invoice(self):
        """Only what is due, as it counts towards the credit limit of the customer."""
        result = super()._compute_amount_to_invoice()
        for line in self.filtered(lambda line: line._is_subscription_line()):
            line.amount_to_invoice = line.qty_to_invoice * line.price_reduce_taxinc
        return result

    def _recompute_qty_to_invoice(self):
        self.env.add_to_compute(self._fields["qty_to_invoice"], self)

    # === INVOICE LINES ===

    def _prepare_invoice_line(self, **optional_values):
        """Link the line to its subscription and name its period."""
        values = super()._prepare_invoice_line(**optional_values)
        if self.display_type or not self.order_id.is_subscription:
            return values
        values["subscription_id"] = self.order_id.id
        if self.recurring_invoice:
            description = self._get_recurring_invoice_description()
            if description:
                values["name"] = f"{values['name']}\n{description}"
        return values

    def _get_recurring_invoice_description(self):
        """Return what the invoice line says about its period; a hook for modules.

        Ordered quantities are invoiced in advance, for the period that begins on the
        next invoice date; delivered ones afterwards, for the period that ends there.

        :return: text in the language of the context, or False for none
        :rtype: str | bool
        """
        self.ensure_one()
        order = self.order_id
        if self.product_id.invoice_policy == "order":
            start, end = order.next_invoice_date, order._get_following_boundary()
        else:
            start = order.last_invoice_date or order.start_date
            end = order.next_invoice_date
        if not start or not end or start >= end:
            return False
        return self.env._(
            "%(period)s %(start)s to %(end)s",
            period=order.plan_id.billing_period_display,
            start=format_date(self.env, start),
            end=format_date(self.env, end - timedelta(days=1)),
        )
