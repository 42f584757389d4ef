from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    subscription_id = fields.Many2one(
        "sale.order", string="Subscription", index="btree_not_null", readonly=True
    )
    charged_from = fields.Date(
        readonly=True, help="First day of the subscription that this line charges."
    )
    charged_until = fields.Date(
        readonly=True, help="First day after those that this line charges."
    )
