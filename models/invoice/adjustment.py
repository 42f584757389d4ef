from odoo import fields, models


class FusionBillingAdjustment(models.Model):
    """What finance charged otherwise than it was rated: forgiven, or added.

    A credit note that is not billed again, another price, quantity or discount on a
    draft. Made when the document is posted, gone when that is undone; in the order of
    posting, which is that of the ids.
    """

    _name = "fusion.billing.adjustment"
    _description = "Differences from Rating"
    _inherit = ["fusion.billing.guarded"]
    _order = "id"

    rating_id = fields.Many2one(
        "fusion.billing.rating",
        required=True,
        ondelete="cascade",
        readonly=True,
        index=True,
    )
    agreement_id = fields.Many2one(
        "fusion.billing.window.charge",
        string="Agreed Price",
        required=True,
        ondelete="cascade",
        readonly=True,
        index=True,
    )
    line_id = fields.Many2one(
        "account.move.line",
        string="Document Line",
        ondelete="cascade",
        readonly=True,
        index=True,
        help="The usage line itself if it was changed, or the line that credits it.",
    )
    move_id = fields.Many2one(related="line_id.move_id")
    company_id = fields.Many2one(related="rating_id.company_id", store=True)
    currency_id = fields.Many2one(related="rating_id.currency_id")
    forgiven = fields.Float(
        digits=False,
        required=True,
        readonly=True,
        help="How much less was charged than rated. Negative: how much more.",
    )
    ended_by_id = fields.Many2one(
        "fusion.billing.rating",
        string="Withdrawn By",
        ondelete="set null",
        readonly=True,
        index="btree_not_null",
        help="The billing was withdrawn later, so this no longer counts.",
    )
