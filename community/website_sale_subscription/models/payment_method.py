from odoo import models


class PaymentMethod(models.Model):
    """Which payment methods may be used for a subscription of the shop."""

    _inherit = "payment.method"

    def _get_compatible_payment_methods(
        self, *args, force_tokenization=False, sale_order_id=None, **kwargs
    ):
        """Offer those that can be saved; Odoo asks that of providers alone."""
        required = self.env["payment.provider"]._is_tokenization_required(
            sale_order_id=sale_order_id
        )
        return super()._get_compatible_payment_methods(
            *args,
            force_tokenization=force_tokenization or required,
            sale_order_id=sale_order_id,
            **kwargs,
        )
