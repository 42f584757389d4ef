from odoo import fields, models


class SaleSubscriptionPlan(models.Model):
    _inherit = "sale.subscription.plan"

    draft_invoicing = fields.Boolean()


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _process_auto_invoice(self, invoice):
        if not self.plan_id.draft_invoicing:
            return super()._process_auto_invoice(invoice)
