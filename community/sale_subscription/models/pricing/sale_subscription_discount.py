from odoo import api, models
from odoo.fields import Command


class SaleSubscriptionDiscount(models.AbstractModel):
    """What the lines of an order come to per period, with its recurring discounts.

    Works on the "base lines" of `account.tax`, so that amounts are those of an invoice.
    """

    _name = "sale.subscription.discount"
    _description = "Recurring Discounts"

    @api.model
    def _get_base_lines(self, order, holds):
        """Return what is invoiced in advance for a whole period.

        :param order: sale.order
        :param holds: function of a sale.order.line: whether its discount does
        :return: base lines of account.tax, those of discounts last
        :rtype: list[dict]
        """
        lines = order.order_line.filtered(lambda x: x._is_invoiced_in_advance())
        base_lines = []
        for line in lines:
            if line.recurring_discount_type in ("percent", "amount"):
                continue
            values = {"discount": line._get_discount(holds(line))}
            if line.recurring_discount_type and line.discount_recurrence:
                values["quantity"] = line._get_discount_quantity() * holds(line)
            base_lines.append(self._get_base_line(line, **values))
        for key, group in order._get_discount_groups().items():
            if group[0]._is_discount_given() and holds(group[0]):
                base_lines += self._get_discount_base_lines(group, base_lines, key)
        return base_lines

    @api.model
    def _get_once_base_lines(self, order):
        """Return what is invoiced once, and is not invoiced yet.

        :param order: sale.order
        :return: base lines of account.tax
        :rtype: list[dict]
        """
        lines = order.order_line.filtered(
            lambda line: (
                not line.recurring_invoice
                and not line.display_type
                and not line.is_downpayment
            )
        )
        if order.state != "sale":
            return [self._get_base_line(line) for line in lines if line.product_uom_qty]
        return [
            self._get_base_line(line, quantity=left)
            for line in lines
            if (left := max(line.product_uom_qty - line.qty_invoiced, 0))
        ]

    @api.model
    def _get_base_line(self, line, **values):
        line = line.with_context(whole_period=True)
        return line._prepare_base_line_for_taxes_computation(**values)

    @api.model
    def _get_discount_base_lines(self, group, base_lines, key):
        """Return the lines of one discount on what is recurring.

        :param group: sale.order.line, those that there are
        :param list base_lines: what it is taken from
        :param str key: common to the lines
        :rtype: list[dict]
        """
        line = group[0]
        return self._compute(
            line.order_id,
            line._get_discounted_base_lines(base_lines),
            line.product_id,
            {
                "type": line.recurring_discount_type,
                "value": line.recurring_discount_value,
                "highest": line._get_highest_discount(),
                "key": key,
            },
        )

    @api.model
    def _get_untaxed(self, order, holds):
        """Return the untaxed amount of a whole period.

        :param order: sale.order
        :param holds: function of a sale.order.line: whether its discount does
        :rtype: float
        """
        return self._get_totals(order, self._get_base_lines(order, holds))["untaxed"]

    @api.model
    def _compute(self, order, base_lines, product, terms):
        """Return the lines of a discount, one for each combination of taxes.

        Never more than what it is taken from.

        :param order: sale.order
        :param list base_lines: what it is taken from
        :param product: product.product, of the discount
        :param dict terms: `type`, `value`, `key`, and `highest` for a percentage that
            stops at an amount
        :rtype: list[dict]
        """
        AccountTax = self.env["account.tax"]
        total = self._get_totals(order, base_lines)["total"]
        currency = order.currency_id
        if currency.compare_amounts(total, 0) <= 0:
            return []
        kind, amount = "percent", min(terms["value"], 100)
        limit = min(terms.get("highest", total), total)
        if terms["type"] == "amount":
            kind, amount = "fixed", min(terms["value"], total)
        elif currency.compare_amounts(total * amount / 100, limit) > 0:
            kind, amount = "fixed", limit
        if not amount:
            return []
        return AccountTax._prepare_global_discount_lines(
            base_lines=base_lines,
            company=order.company_id,
            amount_type=kind,
            amount=amount,
            computation_key=terms["key"],
            grouping_function=lambda _base_line: {"product_id": product},
        )

    @api.model
    def _get_totals(self, order, base_lines):
        """Add up base lines as an invoice does.

        :param order: sale.order
        :param list base_lines: of account.tax; their tax details are computed here
        :return: untaxed, tax and total in the currency of the order
        :rtype: dict[str, float]
        """
        AccountTax = self.env["account.tax"]
        company = order.company_id or self.env.company
        currency = order.currency_id or company.currency_id
        AccountTax._add_tax_details_in_base_lines(base_lines, company)
        AccountTax._round_base_lines_tax_details(base_lines, company)
        totals = AccountTax._get_tax_totals_summary(
            base_lines=base_lines,
            currency=currency,
            company=company,
        )
        return {
            "untaxed": currency.round(totals["base_amount_currency"]),
            "tax": currency.round(totals["tax_amount_currency"]),
            "total": currency.round(totals["total_amount_currency"]),
        }

    @api.model
    def _update(self, order):
        """Set the discounts that are lines to what they come to now.

        :param order: sale.order
        """
        lines = order.order_line.filtered(lambda x: x._is_invoiced_in_advance())
        base_lines = [
            self._get_base_line(line)
            for line in lines
            if line.recurring_discount_type not in ("percent", "amount")
        ]
        quiet = order.sudo().with_context(
            recurring_discount_update=True,
            mrr_logged_by_caller=True,
            subscription_update=True,
        )
        for key, group in order._get_discount_groups().items():
            if group[0].discount_ended or not group[0]._is_discount_given():
                continue
            wanted = self._get_discount_base_lines(group, base_lines, key)
            self._set_lines(quiet, group, wanted)
            base_lines += wanted

    @api.model
    def _set_lines(self, order, group, wanted):
        """Make the lines of one discount those that are wanted, by their taxes."""
        remaining = group
        for base_line in wanted:
            taxes = base_line["tax_ids"]
            line = remaining.filtered(lambda x, taxes=taxes: x.tax_ids == taxes)[:1]
            values = self._prepare_line(base_line)
            if not line:
                copied = self._prepare_further_line(group[0])
                order.order_line = [Command.create({**copied, **values})]
                continue
            remaining -= line
            self._write_changed(line.with_env(order.env), values)
        for line in remaining.with_env(order.env):
            # Its taxes are on nothing any more.
            key = {"computation_key": line._get_discount_key()}
            self._write_changed(line, {"price_unit": 0, "extra_tax_data": key})

    @api.model
    def _prepare_further_line(self, line):
        """Return the values of another line of a discount, for other taxes. A hook.

        :rtype: dict
        """
        [values] = line.copy_data()
        return {**values, "discount_from": line.discount_from}

    @api.model
    def _write_changed(self, line, values):
        currency = line.order_id.currency_id
        if currency.compare_amounts(line.price_unit, values["price_unit"]):
            line.write(values)
        elif line.discount:
            line.discount = 0

    @api.model
    def _prepare_line(self, base_line):
        """Return the values of a discount that is a line.

        :param dict base_line: of account.tax
        :rtype: dict
        """
        return {
            "price_unit": base_line["price_unit"],
            "technical_price_unit": 0,
            "discount": 0,
            "tax_ids": [Command.set(base_line["tax_ids"].ids)],
            "extra_tax_data": self.env["account.tax"]._export_base_line_extra_tax_data(
                base_line
            ),
        }
