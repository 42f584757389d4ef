from odoo import api, fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    rent_code = fields.Char()
    rent_begins = fields.Date()

    @api.onchange("rent_begins")
    def _onchange_rent_begins(self):
        self.start_date = self.rent_begins

    def _set_deferred_end_date_from_template(self):
        if self.start_date:
            super()._set_deferred_end_date_from_template()
