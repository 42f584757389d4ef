from odoo import models

ORIGIN = "mail.message_origin_link"  # "This invoice has been created from ..."


class SaleSubscriptionInvoiceOrigin(models.AbstractModel):
    """Where invoices come from, said of many at once in their chatters."""

    _name = "sale.subscription.invoice.origin"
    _description = "Origin of Invoices"

    def message_post_with_source(self, source_ref, **kwargs):
        """Leave where invoices come from to :meth:`_log_origins`.

        Odoo says it of one invoice after the other, which takes as long as their lines.
        """
        if source_ref == ORIGIN and self.env.context.get("subscription_origins_later"):
            return self.env["mail.message"]
        return super().message_post_with_source(source_ref, **kwargs)

    def _log_origins(self):
        """Say in the chatter of each which orders it was made from."""
        render = self.env["mail.render.mixin"]._render_template_qweb_view
        bodies = {}
        for move in self:
            values = {"self": move, "origin": move.line_ids.sale_line_ids.order_id}
            bodies |= render(ORIGIN, self._name, move.ids, add_context=values)
        self._message_log_batch(bodies)
