from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

from ...engine.billing import money


class FusionBillingRates(models.AbstractModel):
    """What amounts of usage depend on outside of billing: exchange rates and taxes."""

    _name = "fusion.billing.rates"
    _description = "Exchange Rates and Taxes of Usage"

    @api.model
    def _reader(self):
        """A function (currency from, currency to, company, day) -> pair of rates.

        Ids, and the day a window ends; today where that is earlier. Each rate is the
        exact decimal that is stored, chosen as Odoo chooses it; None where both are
        the same currency.
        """
        today, known = fields.Date.today(), {}

        def rate(currency, company, day):
            key = currency, company, day
            if key not in known:
                known[key] = self._rate(currency, company, day)
            return known[key]

        def pair(source, target, company, day):
            if source == target:
                return None
            day = min(day, today)
            return rate(source, company, day), rate(target, company, day)

        return pair

    def _rate(self, currency, company, day):
        """Units of a currency for one of the company's own, exactly as stored."""
        self.env["res.currency.rate"].flush_model()
        root = self.env["res.company"].browse(company).root_id.id
        rows = self.env.execute_query(
            SQL(
                """
                SELECT rate::text FROM res_currency_rate
                 WHERE currency_id = %s AND (company_id IS NULL OR company_id = %s)
                 ORDER BY name > %s, company_id NULLS LAST,
                          CASE WHEN name <= %s THEN name END DESC, name
                 LIMIT 1
                """,
                currency,
                root,
                day,
                day,
            )
        )
        return Decimal(rows[0][0]) if rows else Decimal(1)

    @api.model
    def _untaxed_reader(self):
        """A function (product id, window, amount) -> the amount without tax.

        As the product's own taxes say whether its price holds them.
        """
        Product = self.env["product.product"].sudo()
        taxes_of = {}

        def untaxed(product_id, window, amount):
            key = product_id, window.company
            if key not in taxes_of:
                product = Product.browse(product_id)
                company = self.env["res.company"].browse(window.company)
                taxes = product.taxes_id._filter_taxes_by_company(company)
                taxes_of[key] = taxes if any(taxes.mapped("price_include")) else None
            taxes = taxes_of[key]
            if taxes is None or not amount:
                return amount
            currency = self.env["res.currency"].browse(window.currency)
            result = taxes.compute_all(
                float(amount), currency=currency, product=Product.browse(product_id)
            )
            step = money.to_decimal(currency.rounding)
            return money.round_amount(money.to_decimal(result["total_excluded"]), step)

        return untaxed

    @api.model
    def _adapt(self, order, product, amount):
        """The price of a line in the taxes of the order's fiscal position.

        As Odoo adapts a product's own price: 12.00 with 20 % tax included is 10.00
        where the position has no tax.

        :param order: one ``sale.order``
        :param float amount: with or without tax as the product's taxes say
        """
        position = order.fiscal_position_id
        if not position:
            return amount
        taxes = product.taxes_id._filter_taxes_by_company(order.company_id)
        return product._get_tax_included_unit_price_from_price(
            amount, taxes, fiscal_position=position
        )
