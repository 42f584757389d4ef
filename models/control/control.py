from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_date

from ...engine.billing.periods import day_start_utc
from ..base import groups

# With more events in the database the figures take longer than people wait.
AT_ONCE = 2_000_000


class FusionBillingControl(models.Model):
    """Control totals of a period: from what apps declare to what the journal holds.

    draft    computed as often as wanted
    signed   kept as it was signed, by name and date; it shows what changed since
    """

    _name = "fusion.billing.control"
    _description = "Control Totals"
    _inherit = [
        "mail.thread",
        "fusion.billing.guarded",
        "fusion.billing.long.work",
        "fusion.billing.control.store",
        "fusion.billing.control.export",
    ]
    _order = "date_start desc, id desc"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_start = fields.Date(
        string="First Day",
        required=True,
        default=lambda self: fields.Date.start_of(
            fields.Date.subtract(fields.Date.context_today(self), months=1), "month"
        ),
        tracking=True,
    )
    date_end = fields.Date(
        string="Last Day",
        required=True,
        default=lambda self: fields.Date.end_of(
            fields.Date.subtract(fields.Date.context_today(self), months=1), "month"
        ),
        tracking=True,
        help="A billing window belongs to the period in which its last day falls.",
    )
    state = fields.Selection(
        [("draft", "Draft"), ("signed", "Signed Off")],
        string="Status",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    computed_at = fields.Datetime("Computed On", readonly=True, copy=False)
    signed_by_id = fields.Many2one(
        "res.users", string="Signed Off By", readonly=True, copy=False, tracking=True
    )
    signed_at = fields.Datetime(
        string="Signed Off On", readonly=True, copy=False, tracking=True
    )
    note = fields.Text(
        string="Remarks",
        copy=False,
        tracking=True,
        help="Remarks on the differences. Required to sign off while something "
        "differs.",
    )
    total_ids = fields.One2many(
        "fusion.billing.control.total", "control_id", readonly=True
    )
    line_ids = fields.One2many(
        "fusion.billing.control.line", "control_id", readonly=True
    )
    change_ids = fields.One2many(
        "fusion.billing.control.change", "control_id", readonly=True
    )
    line_count = fields.Integer(string="Lines", compute="_compute_counts")
    differs_count = fields.Integer(string="Differences", compute="_compute_counts")
    pending_count = fields.Integer(string="Pending", compute="_compute_counts")
    change_count = fields.Integer(string="Changes", compute="_compute_counts")
    checked_at = fields.Datetime(
        string="Last Compared",
        readonly=True,
        copy=False,
        help="When the signed-off figures were last compared with the current ones.",
    )
    journal_balance = fields.Monetary(
        string="In the Journal", compute="_compute_counts"
    )

    _in_order = models.Constraint(
        "CHECK (date_end >= date_start)", "The end must be after the start."
    )
    _period_unique = models.Constraint(
        "UNIQUE (company_id, date_start, date_end)",
        "Control totals of this period already exist.",
    )

    @api.depends("date_start", "date_end")
    def _compute_display_name(self):
        for control in self:
            days = (control.date_start, control.date_end)
            control.display_name = " - ".join(
                format_date(self.env, day) for day in days if day
            )

    @api.depends("line_ids", "change_ids")
    def _compute_counts(self):
        Line = self.env["fusion.billing.control.line"].sudo()
        Change = self.env["fusion.billing.control.change"].sudo()
        of_these = [("control_id", "in", self._origin.ids)]
        counts = {
            (control.id, state): (count, journal)
            for control, state, count, journal in Line._read_group(
                of_these,
                ["control_id", "state"],
                ["__count", "journal_balance:sum"],
            )
        }
        changes = {
            control.id: count
            for control, count in Change._read_group(
                of_these, ["control_id"], ["__count"]
            )
        }
        for control in self:
            mine = {
                state: pair
                for (control_id, state), pair in counts.items()
                if control_id == control._origin.id
            }
            control.line_count = sum(count for count, _journal in mine.values())
            control.differs_count = mine.get("differs", (0,))[0]
            control.pending_count = mine.get("pending", (0,))[0]
            control.change_count = changes.get(control._origin.id, 0)
            control.journal_balance = sum(journal for _count, journal in mine.values())

    def _instants(self):
        """When the period begins, and when it has ended (naive UTC)."""
        self.ensure_one()
        tz = self.company_id.fc_billing_tz
        after = fields.Date.add(self.date_end, days=1)
        return day_start_utc(self.date_start, tz), day_start_utc(after, tz)

    def write(self, vals):
        self.check_access("write")
        moved = {"date_start", "date_end"} & vals.keys()
        if "signed" in self.mapped("state") and {"note", *moved} & vals.keys():
            raise UserError(
                self.env._(
                    "Control totals that were signed off cannot be changed. Reopen "
                    "them first."
                )
            )
        result = super().write(vals)
        if moved:  # the figures are those of another period
            self.sudo().line_ids.unlink()
            self.sudo().total_ids.unlink()
            self._write_by_code({"computed_at": False})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_drafts_only(self):
        if "signed" in self.mapped("state"):
            raise UserError(
                self.env._("Control totals that were signed off cannot be deleted.")
            )

    # -- buttons ---------------------------------------------------------------

    def action_compute(self):
        """Compute all figures anew."""
        self._check_may()
        for control in self:
            if control.state == "signed":
                raise UserError(
                    self.env._(
                        "Control totals that were signed off cannot be changed. Reopen "
                        "them first."
                    )
                )
            control._start("_compute_now", self._is_long())

    def _compute_now(self):
        self.ensure_one()
        if self.state == "signed":
            raise UserError(self.env._("It was signed off meanwhile."))
        self._compute_lines()
        now = fields.Datetime.now()
        self._write_by_code({"computed_at": now})

    @api.model
    def _is_long(self):
        """Whether there are more events than can be read while somebody waits."""
        return self.env["fusion.billing.job"]._has_many_events(AT_ONCE)

    def action_sign(self):
        """Sign the figures off as they are now, by name and date.

        Where computing takes long, as they were computed last.
        """
        self._check_may()
        for control in self.filtered(lambda c: c.state == "draft"):
            if not self._is_long():
                control._compute_now()
            elif control._is_at_work() or not control.computed_at:
                raise UserError(self.env._("The figures are not computed yet."))
            if control.differs_count and not (control.note or "").strip():
                raise ValidationError(
                    self.env._(
                        "%s lines differ without an explanation. Have them "
                        "corrected, or explain them in the remarks.",
                        control.differs_count,
                    )
                )
            control._write_by_code(
                {
                    "state": "signed",
                    "signed_by_id": self.env.uid,
                    "signed_at": fields.Datetime.now(),
                }
            )

    def action_reopen(self):
        """Take the sign-off back; the chatter keeps who had signed, and when."""
        self._check_may()
        for control in self.filtered(lambda c: c.state == "signed"):
            control.sudo().change_ids.unlink()
            control._write_by_code(
                {
                    "state": "draft",
                    "signed_by_id": False,
                    "signed_at": False,
                    "checked_at": False,
                }
            )

    def action_check(self):
        """Hold the signed figures against those of now, line by line."""
        self._check_may()
        for control in self.filtered(lambda c: c.state == "signed"):
            control._start("_compare_now", self._is_long())

    def _compare_now(self):
        self._compute_changes()
        self._write_by_code({"checked_at": fields.Datetime.now()})

    def _check_may(self):
        """Whether the user may compute and sign.

        :raises AccessError: neither a billing manager nor an accountant
        """
        self.check_access("write")
        user = self.env.user
        if not (
            self.env.su
            or user.has_group(groups.MANAGER)
            or user.has_group(groups.ACCOUNTANT)
        ):
            raise AccessError(
                self.env._(
                    "Only billing managers and accountants can work on control totals."
                )
            )

    def action_view_lines(self):
        self.ensure_one()
        self.check_access("read")
        return self._lines_action([])

    def action_view_differing(self):
        self.ensure_one()
        self.check_access("read")
        return self._lines_action([("state", "=", "differs")])

    def action_view_pending(self):
        self.ensure_one()
        self.check_access("read")
        return self._lines_action([("state", "=", "pending")])

    def _lines_action(self, wanted):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "fusion_centralized_billing.control_line_action"
        )
        return action | {"domain": [("control_id", "=", self.id), *wanted]}

    def action_view_changes(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env["fusion.billing.control.change"]._description,
            "res_model": "fusion.billing.control.change",
            "view_mode": "list",
            "domain": [("control_id", "=", self.id)],
        }
