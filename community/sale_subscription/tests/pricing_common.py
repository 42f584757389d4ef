from odoo.fields import Command

from .common import SubscriptionCase


class RecurringPricingCase(SubscriptionCase):
    """Two plans, a pricelist in the company's currency; the base fee costs 10."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._show_discounts(False)
        cls.yearly = cls._create_plan(name="Test year", billing_period_unit="year")
        cls.pricelist = cls._create_pricelist("Retail")
        cls.template = cls.fee.product_tmpl_id

    @classmethod
    def _create_pricelist(cls, name, **values):
        defaults = {"name": name, "currency_id": cls.company.currency_id.id}
        return cls.env["product.pricelist"].create(defaults | values)

    @classmethod
    def _create_rule(cls, price=None, **values):
        """A rule of the pricelist for the base fee; a fixed price when one is given.

        ``plan_id`` makes it a recurring price; an ``applied_on`` other than the
        product needs its own record.
        """
        defaults = {"pricelist_id": cls.pricelist.id, "applied_on": "1_product"}
        if values.get("applied_on", "1_product") == "1_product":
            defaults["product_tmpl_id"] = cls.template.id
        if price is not None:
            defaults |= {"compute_price": "fixed", "fixed_price": price}
        return cls.env["product.pricelist.item"].create(defaults | values)

    @classmethod
    def _create_general_price(cls, price=None, **values):
        """A recurring price that goes for all pricelists."""
        return cls._create_rule(price, pricelist_id=False, **values)

    @classmethod
    def _create_priced(cls, *products, quantity=1, **values):
        """A quotation on the pricelist, with ``quantity`` of each product."""
        lines = [
            Command.create({"product_id": product.id, "product_uom_qty": quantity})
            for product in products or (cls.fee,)
        ]
        defaults = {"pricelist_id": cls.pricelist.id, "order_line": lines}
        return cls._create_quotation(**defaults | values)

    @classmethod
    def _show_discounts(cls, shown=True):
        """Show the discounts of pricelists on orders, as the setting does, or not."""
        group = cls.env.ref("base.group_user")
        discounts = cls.env.ref("sale.group_discount_per_so_line")
        if shown:
            group._apply_group(discounts)
        else:
            group._remove_group(discounts)

    @classmethod
    def _create_currency_worth(cls, name, rate):
        """A currency of which ``rate`` are worth one of the company's, at any time."""
        currency = cls.env["res.currency"].with_context(active_test=False).search(
            [("name", "=", name)]
        ) or cls.env["res.currency"].create({"name": name, "symbol": name})
        currency.active = True
        currency.rate_ids.unlink()
        cls.env["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "rate": rate,
                "name": "2000-01-01",
                "company_id": False,
            }
        )
        return currency
