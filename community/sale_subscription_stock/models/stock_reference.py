from odoo import fields, models


class StockReference(models.Model):
    """A period of a subscription: its goods share a transfer, and with no other one.

    Odoo puts together what has the same references, and hands them on to whatever a
    delivery sets in motion: picks, purchases, manufacturing orders.
    """

    _inherit = "stock.reference"

    subscription_id = fields.Many2one(
        "sale.order", readonly=True, index="btree_not_null", ondelete="set null"
    )
    subscription_period_start = fields.Date(readonly=True)
