from odoo import fields, models


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "sale.subscription.guarded"]

    subscription_id = fields.Many2one(
        "sale.order",
        string="Subscription",
        index="btree_not_null",
        readonly=True,
        check_company=True,
    )
    charged_from = fields.Date(
        readonly=True, help="First day of the subscription that this line charges."
    )
    charged_until = fields.Date(
        readonly=True, help="First day after those that this line charges."
    )
    credited_from = fields.Date(
        readonly=True,
        help="From this day on the subscription was given back what the line charges.",
    )

    def _get_amount_charged(self):
        """Return the amount that was charged, as a unit price for it has to be given.

        :return: with the taxes that are included in prices, without the others
        :rtype: float
        """
        self.ensure_one()
        included = self.tax_ids.mapped("price_include")
        amount = self.price_total if included and all(included) else self.price_subtotal
        return -amount if self.move_id.move_type == "out_refund" else amount
