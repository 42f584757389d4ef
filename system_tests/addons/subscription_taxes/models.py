from odoo import fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    taxes_asked_for = fields.Integer()

    def _create_recurring_invoice(self, *args, **kwargs):
        invoices = super()._create_recurring_invoice(*args, **kwargs)
        invoices._ask_for_taxes()
        return invoices

    def _create_invoices(self, grouped=False, final=False, date=None):
        moves = super()._create_invoices(grouped=grouped, final=final, date=date)
        moves._ask_for_taxes()
        return moves

    def _compute_recurring_total(self):
        self._ask_for_taxes()
        return super()._compute_recurring_total()

    def _ask_for_taxes(self):
        pass


class AccountMove(models.Model):
    _inherit = "account.move"

    def _ask_for_taxes(self):
        for order in self.line_ids.sale_line_ids.order_id:
            order.taxes_asked_for += 1
