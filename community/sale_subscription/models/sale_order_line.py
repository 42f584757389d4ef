from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date

from .quiet import create_quietly, write_quietly

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
    _inherit = ["sale.order.line", "sale.subscription.guarded"]

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
        string="For Days",
        copy=False,
        readonly=True,
        help="Charges, or gives back, some days of a period, and is no part of what the"
        " order is worth.",
    )
    charged_from = fields.Date(
        copy=False,
        readonly=True,
        help="First day that this one-off line charges of the subscription.",
    )
    charged_until = fields.Date(
        copy=False, readonly=True, help="First day after those that this line charges."
    )

    @api.depends("product_id")
    def _compute_recurring_invoice(self):
        for line in self:
            line.recurring_invoice = line.product_id.recurring_invoice

    # === WHAT KIND OF LINE ===

    def _is_subscription_line(self):
        """Tell whether the line is invoiced again in every period of its order.

        :rtype: bool
        """
        return self.recurring_invoice and self.order_id.is_subscription

    def _is_invoiced_in_advance(self):
        """Tell whether the line costs the same in every period; a hook for modules.

        Such lines are invoiced at the beginning of a period, by days where it is cut
        short, make up the MRR, and can be upsold. Others are invoiced afterwards: what
        was delivered, or what is ordered where a module says it is postpaid.

        :rtype: bool
        """
        return bool(
            self.recurring_invoice
            and not self.display_type
            and self.order_id.plan_id
            and not self._is_postpaid_line()
        )

    # === MRR ===

    @api.model_create_multi
    def create(self, vals_list):
        """Count what a new line adds to a running subscription."""
        lines = super().create(vals_list)
        lines.order_id._update_recurring_discounts()
        lines._get_orders_to_log(recurs=True)._log_mrr()
        return lines

    def write(self, vals):
        """Count what an edit changes on a running subscription."""
        if not MRR_FIELDS & vals.keys():
            return super().write(vals)
        # Before it, too: the edit may make the line one that does not count.
        recurs = "recurring_invoice" in vals
        orders = self._get_orders_to_log(recurs)
        result = super().write(vals)
        self.order_id._update_recurring_discounts()
        (orders | self._get_orders_to_log(recurs))._log_mrr()
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

    # === AMOUNTS ===

    def _keeps_parent_price(self):
        """Tell whether the price was agreed on the subscription that this continues.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self.parent_line_id
            and self.order_id.subscription_state in ("2_renewal", "7_upsell")
            and self.product_id == self.parent_line_id.product_id
            and not self.env.context.get("force_price_recomputation")
        )

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_price_unit(self):
        """Leave agreed prices alone when only the quantity changes."""
        lines = self.filtered(lambda line: not line._keeps_parent_price())
        return super(SaleOrderLine, lines)._compute_price_unit()

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_discount(self):
        """Leave agreed discounts alone when only the quantity changes."""
        lines = self.filtered(
            lambda line: not line.discount_recurrence and not line._keeps_parent_price()
        )
        return super(SaleOrderLine, lines)._compute_discount()

    @api.depends(
        "order_id.subscription_state",
        "order_id.start_date",
        "order_id.end_date",
        "order_id.last_invoice_date",
        "order_id.next_invoice_date",
    )
    def _compute_amount(self):
        """Extend Community's: the amounts of an upsell depend on its days."""
        return super()._compute_amount()

    def _prepare_base_line_for_taxes_computation(self, **kwargs):
        """Charge the days left on an upsell; its unit price is that of a period."""
        base_line = super()._prepare_base_line_for_taxes_computation(**kwargs)
        whole_period = self.env.context.get("whole_period")
        if self.order_id.subscription_state == "7_upsell" and not whole_period:
            base_line["price_unit"] = self.order_id._prorate(
                base_line["price_unit"],
                base_line["quantity"],
                base_line["discount"],
                self._get_share_charged(),
            )
            # Those are of the whole price.
            base_line["manual_tax_amounts"] = None
            base_line["manual_total_excluded_currency"] = None
            base_line["manual_total_excluded"] = None
        return base_line

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

    def _get_whole_period_amount(self):
        """Return the untaxed amount of an upsell line for a whole period.

        :rtype: float
        """
        self.ensure_one()
        line = self.with_context(whole_period=True)
        base_line = line._prepare_base_line_for_taxes_computation()
        AccountTax = self.env["account.tax"]
        AccountTax._add_tax_details_in_base_line(base_line, self.company_id)
        AccountTax._round_base_lines_tax_details([base_line], self.company_id)
        return base_line["tax_details"]["total_excluded_currency"]

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

    # === UPSELL ===

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

    def _get_protected_fields(self):
        """Let this module change locked orders: the lock guards against people."""
        if self.env.su and self.env.context.get("subscription_update"):
            return []
        return super()._get_protected_fields()
