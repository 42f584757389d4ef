from odoo import fields, models


class SaleOrderCloseReason(models.Model):
    _name = "sale.order.close.reason"
    _description = "Subscription Close Reason"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    retention_message = fields.Html(
        translate=True,
        help="Said to a customer who chose this reason, to make them stay.",
    )
    retention_button_text = fields.Char(translate=True)
    retention_button_link = fields.Char()
