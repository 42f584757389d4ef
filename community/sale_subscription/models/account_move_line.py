from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    subscription_id = fields.Many2one(
        "sale.order", string="Subscription", index="btree_not_null", readonly=True
    )
