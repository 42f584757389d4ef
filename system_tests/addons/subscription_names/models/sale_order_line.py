from dateutil.relativedelta import relativedelta

from odoo import models

from ..calls import calls


class SaleOrderLine(models.Model):
    """Acts on products by their internal reference."""

    _inherit = "sale.order.line"

    def _get_invoice_line_parameters(self):
        calls["_get_invoice_line_parameters"] += 1
        start, stop, ratio, days = super()._get_invoice_line_parameters()
        if self.product_id.default_code == "TWO PERIODS" and start:
            end = start + self.order_id.plan_id.billing_period * 2
            stop = end - relativedelta(days=1)
            return start, stop, ratio * 2, (end - start).days
        return start, stop, ratio, days

    def _is_postpaid_line(self):
        calls["_is_postpaid_line"] += 1
        return (
            self.product_id.default_code == "AFTERWARDS" or super()._is_postpaid_line()
        )

    def _is_subscription_line_to_invoice(self):
        calls["_is_subscription_line_to_invoice"] += 1
        if self.product_id.default_code == "NEVER":
            return False
        return super()._is_subscription_line_to_invoice()
