from odoo import api, fields, models
from odoo.exceptions import UserError

from ..base.states import QUOTATION


class SaleSubscriptionOrderPricing(models.AbstractModel):
    """Prices by plan, and recurring products on orders without one."""

    _name = "sale.subscription.order.pricing"
    _description = "Recurring Prices of Orders"

    # === PRICES BY PLAN ===

    def _get_recurring_price_lines(self):
        """Return the lines whose price depends on the plan; a hook for modules.

        :rtype: sale.order.line recordset
        """
        return self.order_line.filtered(
            lambda line: line.recurring_invoice and not line.display_type
        )

    def _recompute_recurring_prices(self):
        """Price the recurring lines by the present plan, also where invoiced already.

        Prices entered by hand stay. What is confirmed gets the prices of now, a
        quotation those of its date.

        :return: the lines that have another price or discount
        :rtype: sale.order.line recordset
        """
        changed = self.env["sale.order.line"]
        for order in self:
            lines = order._get_recurring_price_lines().filtered(
                lambda line: (
                    line.product_id
                    and not line.is_downpayment
                    and not line.is_expense
                    and not line._is_global_discount()
                    and not line._has_manual_price()
                )
            )
            if order.state in QUOTATION:
                changed += lines.filtered(lambda line: line._reset_recurring_price())
                continue
            # The rule is cached, whatever the date in the context is.
            lines.invalidate_recordset(["pricelist_item_id"])
            dated = lines.with_context(recurring_price_date=fields.Datetime.now())
            changed += dated.filtered(lambda line: line._reset_recurring_price())
            lines.invalidate_recordset(["pricelist_item_id"])
        return changed.with_env(self.env)

    @api.onchange("plan_id")
    def _onchange_plan_id_recurring_prices(self):
        if self.state in QUOTATION:
            self._recompute_recurring_prices()

    def _price_on_new_plan(self, plans):
        """Price quotations again whose plan has changed.

        What runs is left alone: there a change of plan says itself what it changes.

        :param dict plans: the sale.subscription.plan that each of these had
        """
        self.filtered(
            lambda o: o.state in QUOTATION and o.plan_id != plans[o]
        )._recompute_recurring_prices()

    # === CATALOG ===

    def _get_product_catalog_order_line_info(self, product_ids, **kwargs):
        """Show the prices of the plan in the product catalog."""
        return super()._get_product_catalog_order_line_info(
            product_ids, plan_id=self.plan_id.id, **kwargs
        )

    def _update_order_line_info(self, product_id, quantity, **kwargs):
        return super()._update_order_line_info(
            product_id, quantity, plan_id=self.plan_id.id, **kwargs
        )

    # === ONE-TIME SALE ===

    def _confirmation_error_message(self):
        """Refuse to sell once what is only offered with a plan."""
        return super()._confirmation_error_message() or self._get_missing_plan_message()

    def action_quotation_send(self):
        """Refuse it here, too: else the customer who accepts gets the error."""
        self.check_access("read")
        for order in self.filtered(lambda o: o.state in QUOTATION):
            message = order._get_missing_plan_message()
            if message:
                raise UserError(message)
        return super().action_quotation_send()

    def _get_missing_plan_message(self):
        """Return what is wrong with recurring products on an order without plan.

        :rtype: str | bool
        """
        self.ensure_one()
        if self.plan_id:
            return False
        product = self.order_line.filtered(
            lambda line: line.recurring_invoice and not line.is_downpayment
        ).product_id.filtered(
            lambda product: (
                product.recurring_invoice and not product.allow_one_time_sale
            )
        )[:1]
        return bool(product) and self.env._(
            "%s is a subscription product. Choose a recurring plan for this order, or"
            " allow the one-time sale of the product.",
            product.display_name,
        )

    # === SHARES OF A PRICE ===

    def _prorate(self, price, quantity, discount, share):
        """Return the unit price at which a line costs its share, to the cent.

        The amount of the line is rounded, once, and the unit price follows from it:
        where Odoo rounds per document, the lines would not add up to the total.

        :param float price: unit price of a whole period
        :param float quantity: of the line
        :param float discount: of the line, in percent
        :param tuple[int, int] share: (days charged, days of a whole period)
        :rtype: float
        """
        days, whole_days = share
        units = quantity * (1 - discount / 100)
        if days == whole_days or not units:
            return price
        return self.currency_id.round(price * units * days / whole_days) / units
