from odoo import fields, models

RESULTS = [
    ("accepted", "Accepted"),
    ("unallocated", "Accepted, Unallocated"),
    ("duplicate", "Duplicate"),
    ("conflict", "Conflict"),
    ("rejected", "Refused"),
]


class FusionBillingUsageImportRow(models.Model):
    """What became of one row of a file, or would."""

    _name = "fusion.billing.usage.import.row"
    _description = "Row of a Usage Import"
    _inherit = ["fusion.billing.guarded"]
    _order = "import_id desc, number"
    _log_access = False
    _rec_name = "number"

    import_id = fields.Many2one(
        "fusion.billing.usage.import",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="import_id.company_id")
    number = fields.Integer(
        string="Row",
        readonly=True,
        aggregator=None,
        help="In the file; 1 is the header.",
    )
    result = fields.Selection(RESULTS, readonly=True)
    code = fields.Char(string="Error Code", readonly=True)
    field = fields.Char(string="Column", readonly=True)
    reason = fields.Char(readonly=True)
    cells = fields.Text(
        string="Row Content", readonly=True, help="Filled for refused rows only."
    )
