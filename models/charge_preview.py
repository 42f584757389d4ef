from odoo import api, fields, models

from ..engine import money
from ..engine.errors import BillingError
from ..engine.pricing import PriceTerms, price
from ..engine.quantity import parse_quantity


class FusionBillingCharge(models.Model):
    """What a quantity would cost, while the price is still being typed."""

    _inherit = "fusion.billing.charge"

    preview_quantity = fields.Float(
        string="Usage of a Window",
        digits=False,
        store=False,
        help="Try a quantity: nothing is saved.",
    )
    preview_text = fields.Text(string="Would Cost", compute="_compute_preview_text")

    @api.depends(
        "preview_quantity",
        "charge_model",
        "included_quota",
        "price_per_unit",
        "unit_batch",
        "currency_id",
    )
    def _compute_preview_text(self):
        for charge in self:
            try:
                charge.preview_text = charge._preview(charge.preview_quantity)
            except BillingError as exc:  # half-typed terms: say so, do not fail
                charge.preview_text = exc.message

    def _preview(self, quantity):
        """Price a quantity by the terms as they stand in the form.

        :param float quantity: usage of one window
        :return: the arithmetic as text
        :raises BillingError: the terms or the quantity cannot be priced
        """
        self.ensure_one()
        # From the form, so from floats; rating reads the stored decimals.
        terms = PriceTerms(
            model=self.charge_model,
            included=money.to_decimal(self.included_quota),
            unit_price=money.to_decimal(self.price_per_unit),
            unit_batch=money.to_decimal(self.unit_batch),
        )
        priced = price(terms, parse_quantity(quantity))
        amount = money.round_amount(
            priced.amount, money.to_decimal(self.currency_id.rounding or 0.01)
        )
        return self.env._(
            "%(included)s included, %(billable)s billable: %(amount)s %(currency)s",
            included=money.format_decimal(priced.included),
            billable=money.format_decimal(priced.billable),
            amount=money.format_decimal(amount),
            currency=self.currency_id.name or "",
        )
