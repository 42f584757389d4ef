from odoo import api, fields, models
from odoo.exceptions import ValidationError


class FusionBillingCharge(models.Model):
    """Charges that are prices of a draft: archived, so nothing is billed by them."""

    _inherit = "fusion.billing.charge"

    draft_id = fields.Many2one(
        "fusion.billing.price.draft",
        string="Price Draft",
        # What is live is not deleted with it: a live draft is kept.
        ondelete="cascade",
        index="btree_not_null",
        check_company=True,
        copy=False,
        help="The draft this price is of, or came from.",
    )

    _draft_once = models.UniqueIndex(
        "(draft_id, plan_id, metric_id, currency_id) WHERE draft_id IS NOT NULL",
        "The draft has a price of this metric, plan and currency already.",
    )

    @api.constrains("draft_id", "active")
    def _check_draft_is_archived(self):
        for charge in self:
            if charge.active and charge.draft_id and charge.draft_id.state != "live":
                raise ValidationError(
                    self.env._(
                        "%(charge)s is a price of the draft %(draft)s: it stays"
                        " archived, and bills nothing, until the draft goes live.",
                        charge=charge.name,
                        draft=charge.draft_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create(
            [
                {"active": False} | vals if vals.get("draft_id") else vals
                for vals in vals_list
            ]
        )

    @api.model
    def _fc_company_fields(self):
        return super()._fc_company_fields() | {"draft_id"}

    def _rate_again(self):
        """A draft bills nothing: it is its comparison that is out of date."""
        drafted = self.filtered(lambda c: c.draft_id.state == "draft" and not c.active)
        drafts = drafted.draft_id.filtered(
            lambda d: d.compared_at and not d.is_outdated
        )
        if drafts:
            drafts.sudo().is_outdated = True
        others = self - drafted
        return others and super(FusionBillingCharge, others)._rate_again()

    def _draft_key(self):
        """Which price it takes the place of, within a company."""
        self.ensure_one()
        return self.plan_id, self.metric_id, self.currency_id
