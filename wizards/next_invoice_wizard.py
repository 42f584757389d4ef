from odoo import api, fields, models


class FusionBillingNextInvoiceWizard(models.TransientModel):
    """A window that shows the next invoice of a subscription. It keeps nothing."""

    _name = "fusion.billing.next.invoice.wizard"
    _description = "Preview of the Next Invoice"

    subscription_id = fields.Many2one("sale.order", readonly=True)
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    @api.depends("subscription_id")
    def _compute_preview(self):
        for wizard in self:
            order = wizard.subscription_id
            order.check_access("read")
            wizard.preview = order and self.env["ir.qweb"]._render(
                "fusion_centralized_billing.next_invoice",
                {
                    "expected": order._fc_next_invoice(),
                    "currency": order.sudo().currency_id,
                    "books": self.env["fusion.billing.usage.page"]._books(order),
                },
            )
