from odoo import api, models
from odoo.tools import float_compare


class SaleSubscriptionLinePricing(models.AbstractModel):
    """Price of recurring lines by the plan of their order."""

    _name = "sale.subscription.line.pricing"
    _description = "Recurring Prices of Lines"

    def _get_pricelist_kwargs(self):
        """Ask for the price on the plan of the order."""
        values = super()._get_pricelist_kwargs()
        plan = self.order_id.plan_id
        if plan and self.recurring_invoice:
            values |= {"plan_id": plan.id, "recurring_line": True}
        return values

    def _get_order_date(self):
        """Price what changes on a running subscription as of the day it changes."""
        return self.env.context.get("recurring_price_date") or super()._get_order_date()

    @api.depends("order_id.plan_id", "recurring_invoice")
    def _compute_pricelist_item_id(self):
        """Extend Odoo's: an order without pricelist has recurring prices, too."""
        result = super()._compute_pricelist_item_id()
        for line in self:
            order = line.order_id
            if (
                line.product_id
                and line.recurring_invoice
                and not line.display_type
                and order.plan_id
                and not order.pricelist_id
            ):
                line.pricelist_item_id = line._get_rule(order.plan_id)
        return result

    def _get_display_price_ignore_combo(self):
        """Without pricelist Odoo shows no discounts: the price is the reduced one."""
        if self.pricelist_item_id and not self.order_id.pricelist_id:
            return self._get_pricelist_price()
        return super()._get_display_price_ignore_combo()

    # === PRICING AGAIN ===

    def _has_manual_price(self):
        """Tell whether somebody entered the price, as Odoo's `_compute_price_unit`.

        :rtype: bool
        """
        self.ensure_one()
        # New records may not have a currency yet.
        currency = (
            self.currency_id
            or self.company_id.currency_id
            or self.env.company.currency_id
        )
        return bool(
            currency.compare_amounts(self.technical_price_unit, self.price_unit)
        )

    def _reset_recurring_price(self):
        """Set price and discount by the present plan.

        Not by the compute method, which leaves invoiced lines alone.

        :return: whether that changed something
        :rtype: bool
        """
        self.ensure_one()
        before = self.price_unit, self.discount
        discount_by_rule = self._has_discount_by_rule()
        self.with_context(sale_write_from_compute=True)._reset_price_unit()
        if discount_by_rule:
            self.discount = self._get_rule_discount(self.order_id.plan_id)
        return (self.price_unit, self.discount) != before

    def _has_discount_by_rule(self):
        """Tell whether the discount is what price rules give, not entered by hand.

        Odoo does not note where a discount comes from. What the pricelist gives on any
        plan counts as given by it, as the plan may have changed already.

        :rtype: bool
        """
        if (
            not self.order_id.pricelist_id
            or not self.env["product.pricelist.item"]._is_discount_feature_enabled()
            or self.combo_item_id
        ):
            return False
        if not self.discount:
            return True
        digits = self.env["decimal.precision"].precision_get("Discount")
        plans = self.env["sale.subscription.plan"].sudo().search([])
        undated = self.with_context(recurring_price_date=False)
        return any(
            not float_compare(line._get_rule_discount(plan), self.discount, digits)
            for plan in (plans.browse(), *plans)
            for line in (self, undated)
        )

    def _get_rule(self, plan):
        """Return the rule that prices the line if its order has ``plan``.

        :param plan: sale.subscription.plan, may be empty
        :rtype: product.pricelist.item
        """
        rule_id = self.order_id.pricelist_id._get_product_rule(
            self.product_id, **self._get_kwargs_on_plan(plan)
        )
        return self.env["product.pricelist.item"].browse(rule_id)

    def _get_kwargs_on_plan(self, plan):
        values = self._get_pricelist_kwargs()
        return values | {"plan_id": plan.id, "recurring_line": True}

    def _get_rule_discount(self, plan):
        """Return the discount that the pricelist shows on ``plan``.

        :param plan: sale.subscription.plan, may be empty
        :return: percentage
        :rtype: float
        """
        rule = self._get_rule(plan)
        if not rule._show_discount():
            return 0.0
        arguments = self._get_kwargs_on_plan(plan)
        arguments["product"] = self.product_id.with_context(
            **self._get_product_price_context()
        )
        base = rule._compute_price_before_discount(**arguments)
        if not base:
            return 0.0
        discount = (base - rule._compute_price(**arguments)) / base * 100
        # A surcharge is part of the price shown, not a negative discount.
        return discount if discount * base > 0 else 0.0
