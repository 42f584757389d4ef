from odoo import api, fields, models


class ProductProduct(models.Model):
    """The recurring prices of a variant are kept on its template."""

    _inherit = "product.product"

    # As Odoo does for ordinary rules. The field would be inherited from the template
    # without this, but then a form that changes two of its lines loses one of them.
    recurring_rule_ids = fields.One2many(
        "product.pricelist.item",
        "product_id",
        string="Recurring Prices",
        compute="_compute_recurring_rule_ids",
        inverse="_inverse_recurring_rule_ids",
        readonly=False,
    )

    @api.depends("product_tmpl_id.recurring_rule_ids")
    def _compute_recurring_rule_ids(self):
        for product in self:
            product.recurring_rule_ids = (
                product._origin.product_tmpl_id.recurring_rule_ids.filtered(
                    lambda rule, product=product: rule.product_id <= product._origin
                )
            )

    def _inverse_recurring_rule_ids(self):
        for product in self:
            template = product.product_tmpl_id
            template.recurring_rule_ids = (
                product.recurring_rule_ids
                | template.recurring_rule_ids.filtered(
                    lambda rule, product=product: rule.product_id - product
                )
            )
