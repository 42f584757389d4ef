from odoo import api, fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    is_delegated = fields.Boolean()

    @api.model
    def _cron_recurring_create_invoice(self):
        moves = super()._cron_recurring_create_invoice()
        for order in moves.line_ids.sale_line_ids.order_id:
            order.message_post(body="Invoiced here")
        return True

    def _create_recurring_invoice(self, batch_size=30):
        here = self - self.filtered("is_delegated")
        return super(SaleOrder, here)._create_recurring_invoice(batch_size=batch_size)

    def _get_invoiceable_lines(self, final=False):
        lines = super()._get_invoiceable_lines(final)
        return lines.filtered(lambda line: not line.order_id.is_delegated)
