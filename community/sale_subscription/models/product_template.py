from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    recurring_invoice = fields.Boolean(
        string="Subscription Product",
        help="On a subscription this product is invoiced again in every period.",
    )
