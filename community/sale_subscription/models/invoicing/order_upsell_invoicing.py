from odoo import api, models
from odoo.fields import Domain

from ..base.states import SUBSCRIPTION_CLOSED_STATE


class SaleSubscriptionOrderUpsellInvoicing(models.AbstractModel):
    """Which upsells are to be invoiced, and with which period."""

    _name = "sale.subscription.order.upsell.invoicing"
    _description = "Invoicing of Upsells"

    @api.model
    def _get_upsell_to_invoice_domain(self):
        """Return the domain of the upsells that the scheduled action invoices.

        :rtype: Domain
        """
        return Domain(
            [
                ("subscription_state", "=", "7_upsell"),
                ("state", "=", "sale"),
                ("invoice_status", "=", "to invoice"),
            ]
        )

    def _is_upsell_to_invoice(self):
        """Tell whether this is a confirmed upsell that is not invoiced yet.

        What is measured waits for the next period of the subscription: hours that are
        worked day by day are no invoice a day.

        :rtype: bool
        """
        self.ensure_one()
        return (
            self.subscription_state == "7_upsell"
            and self.state == "sale"
            and self.invoice_status == "to invoice"
            and any(
                line.qty_to_invoice and not line._is_measured_on_upsell()
                for line in self.order_line
            )
        )

    def _get_invoiceable_lines(self, final=False):
        """Invoice with a period what was delivered on the upsells of it until then."""
        lines = super()._get_invoiceable_lines(final)
        if (
            self.subscription_state not in SUBSCRIPTION_CLOSED_STATE
            and not self._is_period_due()
        ):
            return lines
        upsells = self.subscription_child_ids.filtered(
            lambda o: o.subscription_state == "7_upsell" and o.state == "sale"
        )
        measured = upsells.order_line.filtered(
            lambda line: (
                line._is_measured_on_upsell()
                and (line.qty_to_invoice > 0 or (line.qty_to_invoice < 0 and final))
            )
        )
        last = lines.filtered("is_downpayment")
        return lines - last | measured | last
