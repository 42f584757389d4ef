from odoo import api, fields, models


class FusionBillingChargeTier(models.Model):
    """A range of billable units with a price of its own."""

    _name = "fusion.billing.charge.tier"
    _description = "Price Tier"
    _inherit = ["fusion.billing.guarded"]
    _order = "charge_id, is_last, up_to, id"

    charge_id = fields.Many2one(
        "fusion.billing.charge",
        string="Usage Price",
        required=True,
        ondelete="cascade",
        index=True,
        check_company=True,
    )
    company_id = fields.Many2one(related="charge_id.company_id", store=True)
    currency_id = fields.Many2one(related="charge_id.currency_id")
    # digits=False: numeric without a scale, see the charge.
    up_to = fields.Float(
        digits=False,
        help="The last billable unit of the tier. Empty or 0: no upper limit.",
    )
    is_last = fields.Boolean(compute="_compute_is_last", store=True)
    price_per_unit = fields.Float(
        string="Price per Batch", digits=False, required=True, default=0.0
    )
    flat_fee = fields.Float(
        digits=False,
        default=0.0,
        help="Charged once per billing window, as soon as one unit falls in the tier.",
    )

    _values_valid = models.Constraint(
        # NaN would pass ">= 0": PostgreSQL sorts it above every number.
        "CHECK (coalesce(up_to, 0) >= 0 AND coalesce(up_to, 0) < 'Infinity'"
        " AND price_per_unit >= 0 AND price_per_unit < 'Infinity'"
        " AND coalesce(flat_fee, 0) >= 0 AND coalesce(flat_fee, 0) < 'Infinity')",
        "The bounds, prices and fees of a tier cannot be negative.",
    )

    @api.depends("up_to")
    def _compute_is_last(self):
        for tier in self:
            tier.is_last = not tier.up_to

    @api.model_create_multi
    def create(self, vals_list):
        given = [vals.get("charge_id") for vals in vals_list]
        charges = self.env["fusion.billing.charge"].browse(filter(None, given))
        if not self.env.su:  # before anything is said of the charge
            self._fc_check_given(vals_list)
        charges._check_not_billed()
        charges._remember_terms()
        tiers = super().create(vals_list)
        tiers.charge_id._rate_again()
        return tiers

    def write(self, vals):
        self.check_access("write")
        charges = self.charge_id
        if vals.get("charge_id"):
            charges |= charges.browse(vals["charge_id"])
        charges._check_not_billed()
        charges._remember_terms()
        result = super().write(vals)
        (charges | self.charge_id)._rate_again()
        return result

    def unlink(self):
        self.check_access("unlink")
        charges = self.charge_id
        charges._check_not_billed()
        charges._remember_terms()
        result = super().unlink()
        charges._rate_again()
        return result

    @api.constrains("charge_id", "up_to", "price_per_unit", "flat_fee")
    def _check_tiers(self):
        self.charge_id._check_tiers()
