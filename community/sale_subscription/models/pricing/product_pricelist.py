from odoo import fields, models
from odoo.fields import Domain


class ProductPricelist(models.Model):
    """Prices per recurring plan.

    Odoo asks a pricelist for a price with free keyword arguments. Two of them are
    ours: ``plan_id`` (id of a plan) asks for the price on that plan, and
    ``recurring_line`` says that all products asked for are sold as recurring, whatever
    their present setting. Whoever does not pass a plan never meets a recurring price.
    """

    _inherit = "product.pricelist"

    recurring_item_ids = fields.One2many(
        "product.pricelist.item",
        "pricelist_id",
        string="Recurring Prices",
        domain=lambda self: self._domain_recurring_item_ids(),
        copy=True,
        help="Prices of subscription products on orders with a recurring plan.",
    )

    def _domain_item_ids(self):
        """Keep recurring prices away from all who read the rules of a pricelist."""
        return [*super()._domain_item_ids(), ("plan_id", "=", False)]

    def _domain_recurring_item_ids(self):
        return [*self._base_domain_item_ids(), ("plan_id", "!=", False)]

    def write(self, vals):
        """Check the companies of the recurring prices as Odoo does of other rules."""
        result = super().write(vals)
        if "company_id" in vals:
            self.recurring_item_ids._check_company()
        return result

    # === WHICH RULE ===

    def _compute_price_rule(
        self, products, *args, plan_id=None, recurring_line=False, **kwargs
    ):
        """Extend Odoo's: with ``plan_id`` its prices go before the ordinary rules.

        :param plan_id: id (or record) of a sale.subscription.plan, or None
        :param bool recurring_line: the products are recurring, also those that are not
            marked so any more
        """
        plan_id = getattr(plan_id, "id", plan_id)
        if not plan_id:
            return super()._compute_price_rule(products, *args, **kwargs)
        recurring = products
        if not recurring_line:
            recurring = products.filtered("recurring_invoice")
        results = super()._compute_price_rule(products - recurring, *args, **kwargs)
        plan = {"plan_id": plan_id, "recurring_line": recurring_line}
        results |= super()._compute_price_rule(recurring, *args, **plan, **kwargs)
        return results

    def _get_applicable_rules(self, products, date, plan_id=None, **kwargs):
        """Return the rules in the order in which they are tried.

        With a plan: what this pricelist says of it; then what goes for every price
        list; then the ordinary rules. The search order, from the rule of a variant to
        that of all products, stays inside each of the three.
        """
        if not plan_id:
            return super()._get_applicable_rules(products, date, **kwargs)
        rules = self.env["product.pricelist.item"].search(
            self._get_applicable_rules_domain(products, date, plan_id=plan_id, **kwargs)
        )
        return rules.sorted(lambda rule: (not rule.plan_id, not rule.pricelist_id))

    def _get_applicable_rules_domain(self, products, date, plan_id=None, **kwargs):
        parent = super()
        if not plan_id:
            domain = parent._get_applicable_rules_domain(products, date, **kwargs)
            return [*domain, ("plan_id", "=", False)]
        nowhere = super(ProductPricelist, self.browse())
        domain = Domain("plan_id", "=", plan_id) & Domain(
            nowhere._get_applicable_rules_domain(products, date, **kwargs)
        )
        if self:
            domain |= Domain("plan_id", "in", (plan_id, False)) & Domain(
                parent._get_applicable_rules_domain(products, date, **kwargs)
            )
        return list(domain)
