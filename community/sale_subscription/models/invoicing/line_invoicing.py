from datetime import timedelta

from odoo import api, models
from odoo.tools import format_date


class SaleSubscriptionLineInvoicing(models.AbstractModel):
    """What is to be invoiced of a line, and what its invoice line says."""

    _name = "sale.subscription.line.invoicing"
    _description = "Invoicing of Recurring Lines"

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
        as they were not invoiced yet, also after the subscription has ended.
        """
        result = super()._compute_qty_to_invoice()
        for line in self:
            order = line.order_id
            if line.state != "sale" or not order.plan_id:
                continue
            if not line._is_subscription_line():
                line._keep_invoiced_once()
                continue
            if not line._is_subscription_line_to_invoice():
                line.qty_to_invoice = 0
            elif line.product_id.invoice_policy == "order":
                line.qty_to_invoice = line._get_ordered_quantity_due()
        return result

    def _keep_invoiced_once(self):
        """Do not offer again what a credit note took back.

        Odoo makes it due again, and the next recurring invoice would charge it.
        """
        self.ensure_one()
        if self.product_id.invoice_policy != "order" or self.qty_to_invoice <= 0:
            return
        invoiced = 0.0
        for line in self.sudo().invoice_lines:
            if line.parent_state != "cancel":
                quantity = line.product_uom_id._compute_quantity(
                    line.quantity, self.product_uom_id
                )
                if line.move_id.move_type == "out_refund":
                    # Positive on an invoice that became a credit note as a whole.
                    quantity = -quantity
                invoiced += max(quantity, 0.0)
        if invoiced:
            self.qty_to_invoice = max(self.product_uom_qty - invoiced, 0.0)

    def _compute_invoice_status(self):
        """Nothing was sold too little: what is delivered again is charged again."""
        result = super()._compute_invoice_status()
        for line in self.filtered(lambda line: line._is_subscription_line()):
            if line.invoice_status == "upselling":
                line.invoice_status = "invoiced"
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

    def _is_measured_on_upsell(self):
        """Tell whether the line bills what is delivered on an upsell, as it comes.

        :rtype: bool
        """
        return bool(
            self.recurring_invoice
            and not self.display_type
            and self.order_id.subscription_state == "7_upsell"
            and not self._is_invoiced_in_advance()
        )

    # === INVOICE LINES ===

    def _prepare_invoice_line(self, **optional_values):
        """Link the line to its subscription, name its period, charge its days."""
        values = super()._prepare_invoice_line(**optional_values)
        order = self.order_id
        if self.display_type or not order.plan_id:
            return values
        is_upsell = order.subscription_state == "7_upsell"
        values["subscription_id"] = order.subscription_id.id if is_upsell else order.id
        start, last_day, ratio, _days = self._get_invoice_line_parameters()
        values["charged_from"] = start
        values["charged_until"] = last_day and last_day + timedelta(days=1)
        days, whole = self._get_share_charged()
        # By days and not by their ratio, whose last digit could turn half a cent.
        share = (days, whole) if ratio == days / whole else (ratio, 1)
        values["price_unit"] = order._prorate(
            values["price_unit"], values["quantity"], values["discount"], share
        )
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
        start, last_day, _ratio, _days = self._get_invoice_line_parameters()
        if not start and not self._is_invoiced_in_advance():
            if self._is_measured_on_upsell():
                order = order.subscription_id
            start = order.last_invoice_date or order.start_date
            end = order.next_invoice_date
            last_day = end and end - timedelta(days=1)
        if not start or not last_day or start > last_day:
            return False
        text = self.env._(
            "%(period)s %(start)s to %(end)s",
            period=order.plan_id.billing_period_display,
            start=format_date(self.env, start),
            end=format_date(self.env, last_day),
        )
        days, whole = self._get_share_charged()
        if days != whole:
            text += " " + self.env._(
                "(%(days)s of %(whole)s days)", days=days, whole=whole
            )
        return text
