from odoo import api, models


class SaleSubscriptionLineAmounts(models.AbstractModel):
    """What lines come to: at agreed prices, for a whole period or some of its days."""

    _name = "sale.subscription.line.amounts"
    _description = "Amounts of Recurring Lines"

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
        return super(SaleSubscriptionLineAmounts, lines)._compute_price_unit()

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_discount(self):
        """Leave agreed discounts alone when only the quantity changes."""
        lines = self.filtered(
            lambda line: not line.discount_recurrence and not line._keeps_parent_price()
        )
        return super(SaleSubscriptionLineAmounts, lines)._compute_discount()

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
