from odoo import api, fields, models

from ...engine.billing import money
from ...engine.billing.charge_models import Tier
from ...engine.billing.pricing import PriceTerms, price
from ...engine.billing.quantity import parse_quantity
from ...engine.errors import BillingError

# Fields that say what a quantity costs: those of the charge, and of its tiers.
TERMS = ("charge_model", "included_quota", "price_per_unit", "unit_batch")
TERMS += ("minimum_amount",)
TIER_TERMS = ("tier_ids.up_to", "tier_ids.price_per_unit", "tier_ids.flat_fee")


class FusionBillingChargePreview(models.AbstractModel):
    """What a quantity would cost, while the price is still being typed."""

    _name = "fusion.billing.charge.preview"
    _description = "Preview of a Price"

    preview_quantity = fields.Float(
        string="Usage of a Window",
        digits=False,
        store=False,
        help="Try a quantity: nothing is saved.",
    )
    preview_text = fields.Text(string="Cost", compute="_compute_preview_text")

    @api.depends("preview_quantity", *TERMS, *TIER_TERMS, "currency_id")
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
        priced = price(self._typed_terms(), parse_quantity(quantity))
        amount = money.round_amount(
            priced.amount, money.to_decimal(self.currency_id.rounding or 0.01)
        )
        steps = [
            f"{step.label}: {money.format_decimal(step.quantity)} x"
            f" {money.format_decimal(step.unit_price)}"
            for step in priced.steps
        ]
        total = self.env._(
            "%(included)s included, %(billable)s billable: %(amount)s %(currency)s",
            included=money.format_decimal(priced.included),
            billable=money.format_decimal(priced.billable),
            amount=money.format_decimal(amount),
            currency=self.currency_id.name or "",
        )
        return "\n".join([total, *steps] if len(steps) > 1 else [total])

    def _typed_terms(self):
        """The terms as they stand in the form.

        :rtype: PriceTerms
        :raises BillingError: they cannot be priced
        """
        # From the form, so from floats; rating reads the stored decimals.
        return PriceTerms(
            model=self.charge_model,
            included=money.to_decimal(self.included_quota),
            unit_price=money.to_decimal(self.price_per_unit),
            unit_batch=money.to_decimal(self.unit_batch),
            minimum=money.to_decimal(self.minimum_amount),
            tiers=self._typed_tiers() if self.has_tiers else (),
        )

    def _typed_tiers(self):
        """The tiers as they stand in the form, the one without end last."""
        tiers = [
            Tier(
                money.to_decimal(tier.up_to) if tier.up_to else None,
                money.to_decimal(tier.price_per_unit),
                money.to_decimal(tier.flat_fee),
            )
            for tier in self.tier_ids
        ]
        return tuple(sorted(tiers, key=lambda t: (t.up_to is None, t.up_to or 0)))
