from odoo import api, fields, models

from .messages import INVARIANTS


class FusionBillingAuditResult(models.Model):
    """What one run says of one invariant."""

    _name = "fusion.billing.audit.result"
    _description = "Audit Result"
    _inherit = ["fusion.billing.guarded"]
    _order = "audit_id desc, id"
    _rec_name = "invariant"

    audit_id = fields.Many2one(
        "fusion.billing.audit",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="audit_id.company_id")
    invariant = fields.Selection(
        INVARIANTS, string="Check", required=True, readonly=True
    )
    checked = fields.Integer(readonly=True, aggregator=None)
    subject = fields.Char(compute="_compute_subject")
    violations = fields.Integer("Differences", readonly=True, aggregator=None)
    error = fields.Text(string="Why Not Checked", readonly=True)
    state = fields.Selection(
        [
            ("agree", "Agrees"),
            ("nothing", "Nothing to Check"),
            ("with_i2", "See Check 2"),
            ("differ", "Differs"),
            ("failed", "Not Checked"),
        ],
        string="Status",
        compute="_compute_state",
        help="Nothing to Check: there were no records for this check, so nothing is "
        "known.",
    )

    @api.depends("violations", "error", "checked", "invariant")
    def _compute_state(self):
        for result in self:
            if result.error:
                result.state = "failed"
            elif result.violations:
                result.state = "differ"
            elif result.invariant == "I8":
                result.state = "with_i2"
            else:
                result.state = "agree" if result.checked else "nothing"

    @api.depends("invariant")
    def _compute_subject(self):
        events, windows = self.env._("events"), self.env._("rated windows")
        subjects = {
            "I1": events,
            "I2": windows,
            "I3": windows,
            "I4": self.env._("events and ratings"),
            "I5": windows,
            "I6": windows,
            "I7": windows,
            "I8": self.env._(
                "see check 2: quantities are computed again, in no particular order"
            ),
            "I9": self.env._("ratings"),
            "I10": self.env._("closed ratings of each app"),
        }
        for result in self:
            result.subject = subjects[result.invariant]
