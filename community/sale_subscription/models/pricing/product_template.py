from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    recurring_invoice = fields.Boolean(
        string="Subscription Product",
        help="On a subscription this product is invoiced again in every period.",
    )
    allow_one_time_sale = fields.Boolean(
        string="Allow One-time Sale",
        help="Whether this product may also be sold on an order without a recurring"
        " plan. There it is invoiced once, at its ordinary price.",
    )
    recurring_rule_ids = fields.One2many(
        "product.pricelist.item",
        "product_tmpl_id",
        string="Recurring Prices",
        domain=lambda self: self._domain_recurring_rule_ids(),
        help="The price of the product per period on an order with a recurring plan. "
        "If nothing is listed for a plan, the ordinary price applies.",
    )

    def _domain_pricelist_rule_ids(self):
        return [*super()._domain_pricelist_rule_ids(), ("plan_id", "=", False)]

    def _domain_recurring_rule_ids(self):
        return [*self._base_domain_item_ids(), ("plan_id", "!=", False)]

    def _get_recurring_pricing(
        self, pricelist, variant=None, plan_id=None, quantity=1.0
    ):
        """Return the recurring price that counts for the product today.

        :param pricelist: product.pricelist, or an empty one
        :param variant: product.product of this template, or None
        :param plan_id: id (or record) of a sale.subscription.plan; None: the first
            plan, in their order, that has a price for the product
        :param float quantity: in the unit of the product
        :return: the rule; empty where the ordinary price counts
        :rtype: product.pricelist.item
        """
        self.ensure_one()
        Item = self.env["product.pricelist.item"]
        if not self.recurring_invoice:
            return Item
        pricelist = pricelist or self.env["product.pricelist"]
        product = variant or self
        plans = self.env["sale.subscription.plan"].sudo()
        if plan_id:
            plans = plans.browse(getattr(plan_id, "id", plan_id))
        else:
            plans = plans.search(plans._check_company_domain(self.env.company))
        for plan in plans:
            rule_id = pricelist._get_product_rule(product, quantity, plan_id=plan.id)
            rule = Item.browse(rule_id)
            if rule.plan_id:
                return rule
        return Item
