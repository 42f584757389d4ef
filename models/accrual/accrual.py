from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ..base import groups

ACCOUNTANT = "account.group_account_invoice"
# With more events in the database an accrual takes longer than people wait.
AT_ONCE = 2_000_000
CHANGED = "changed"


class FusionBillingAccrual(models.Model):
    """The usage that was not invoiced by the end of a period, as accrued revenue.

    draft      worked out, nothing is posted
    posted     its entry is in the books, and reversed on the next day
    replaced   made again for the same period: its entries were taken back
    cancelled  taken back, and not made again
    """

    _name = "fusion.billing.accrual"
    _description = "Usage Accrual"
    _inherit = ["mail.thread", "fusion.billing.guarded", "fusion.billing.long.work"]
    _order = "date desc, id desc"
    _rec_name = "date"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    date = fields.Date(
        string="Until",
        required=True,
        readonly=True,
        help="The last day whose usage counts, and the date of the entry.",
    )
    cutoff = fields.Datetime(
        string="Cut-off",
        required=True,
        readonly=True,
        help="The end of the last day that counts, in the company's billing time zone.",
    )
    reversal_date = fields.Date(required=True, readonly=True)
    journal_id = fields.Many2one("account.journal", readonly=True, check_company=True)
    accrued_account_id = fields.Many2one(
        "account.account",
        string="Accrued Revenue Account",
        readonly=True,
        check_company=True,
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("posted", "Posted"),
            ("replaced", "Replaced"),
            ("cancelled", "Cancelled"),
        ],
        string="Status",
        required=True,
        default="draft",
        readonly=True,
        tracking=True,
    )
    line_ids = fields.One2many("fusion.billing.accrual.line", "accrual_id")
    line_count = fields.Integer("Number of Lines", compute="_compute_totals")
    left_out_count = fields.Integer(string="Left Out", compute="_compute_totals")
    balance = fields.Monetary(
        string="Accrued",
        compute="_compute_totals",
        currency_field="company_currency_id",
        help="In the company's currency, untaxed.",
    )
    locked_until = fields.Date(
        readonly=True, help="The last locked day when this was computed."
    )
    late_note = fields.Text(
        string="Usage of a Locked Period", compute="_compute_late_note"
    )
    computed_at = fields.Datetime(string="Computed On", readonly=True)
    posted_at = fields.Datetime(string="Posted On", readonly=True)
    posted_by_id = fields.Many2one("res.users", string="Posted By", readonly=True)
    move_id = fields.Many2one(
        "account.move",
        string="Entry",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
    )
    reversal_id = fields.Many2one(
        "account.move",
        string="Reversal",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
    )
    replaced_by_id = fields.Many2one(
        "fusion.billing.accrual",
        readonly=True,
        ondelete="set null",
        check_company=True,
    )

    _one_for_period = models.UniqueIndex(
        "(company_id, date) WHERE state = 'posted'",
        "The usage until this day has just been accrued by another user.",
    )

    @api.depends("date")
    def _compute_display_name(self):
        for accrual in self:
            accrual.display_name = self.env._(
                "Usage until %s", format_date(self.env, accrual.date)
            )

    @api.depends("line_ids.balance")
    def _compute_totals(self):
        for accrual in self:
            lines = accrual.line_ids
            accrual.line_count = len(lines)
            accrual.left_out_count = len(lines.filtered(lambda x: not x.amount))
            accrual.balance = sum(lines.mapped("balance"))

    @api.depends("line_ids.late_amount", "locked_until")
    def _compute_late_note(self):
        for accrual in self:
            late = accrual.line_ids.filtered("late_amount")
            sums = [
                currency.format(sum(lines.mapped("late_amount")))
                for currency, lines in late.grouped("currency_id").items()
            ]
            accrual.late_note = bool(sums) and self.env._(
                "%(amounts)s of it was used in the period that is locked until %(day)s,"
                " and is not in its books. It counts here, in the first period that is"
                " open.",
                amounts=", ".join(sums),
                day=format_date(self.env, accrual.locked_until),
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("Accruals cannot be deleted: they explain journal entries.")
        )

    # -- worked out ------------------------------------------------------------

    @api.model
    def _check_may(self):
        """:raises AccessError: neither an accountant nor a billing manager"""
        user = self.env.user
        if not (self.env.su or user.has_group(ACCOUNTANT)):
            if not user.has_group(groups.MANAGER):
                raise AccessError(
                    self.env._(
                        "Only accountants and billing managers can accrue usage."
                    )
                )
        self.check_access("read")

    @api.model
    def _prepare(self, company, day, journal, account):
        """Work out an accrual, and post nothing.

        :param date day: the last one whose usage counts
        :raises UserError: the day is still to come, or locked
        :return: the new draft
        """
        self._check_may()
        if day > fields.Date.context_today(self):
            raise UserError(
                self.env._(
                    "%s is in the future: its usage is not known yet.",
                    format_date(self.env, day),
                )
            )
        self.env["fusion.billing.accrual.entries"]._check_open(company, day, journal)
        Valuation = self.env["fusion.billing.accrual.valuation"].sudo()
        accrual = self.sudo().create(
            {
                "company_id": company.id,
                "date": day,
                "cutoff": Valuation._cutoff(company, day),
                "reversal_date": day + timedelta(days=1),
                "journal_id": journal.id,
                "accrued_account_id": account.id,
            }
        )
        accrual._start("_work_out_now", accrual._is_long())
        return accrual.with_env(self.env)

    @api.model
    def _is_long(self):
        return self.env["fusion.billing.job"]._has_many_events(AT_ONCE)

    def _work_out_now(self):
        if self.state == "draft":
            self._work_out()

    def _work_out(self):
        """Value the usage anew. Whether that changed anything (bool)."""
        Valuation = self.env["fusion.billing.accrual.valuation"].sudo()
        company, day = self.company_id, self.date
        Valuation._catch_up(company)
        rows = Valuation._values(company, day)
        locked = Valuation._locked_until(company, self.journal_id)
        late = Valuation._late(company, day, locked)
        for values in rows:
            amount = values.get("amount", 0.0)
            part = late.get((values.get("window_id"), values["metric_id"]), 0.0)
            values["late_amount"] = min(part, amount) if part > 0 else part
        before = self._fingerprint()
        self.line_ids.unlink()
        self.env["fusion.billing.accrual.line"].sudo().create(
            [{**values, "accrual_id": self.id} for values in rows]
        )
        self.write({"locked_until": locked, "computed_at": fields.Datetime.now()})
        return self._fingerprint() != before

    def _fingerprint(self):
        """What its entry is made of."""
        names = ("window_id", "metric_id", "account_id", "partner_id", "currency_id")
        return sorted(
            (*(line[name].id or 0 for name in names), line.amount, line.balance)
            for line in self.line_ids
            if line.balance
        )

    def action_compute(self):
        """Work it out again: usage has come in, or documents were posted, since."""
        self._check_may()
        for accrual in self.sudo()._check_is("draft"):
            accrual._start("_work_out_now", self._is_long())

    # -- posted ----------------------------------------------------------------

    def action_post_entries(self):
        """Post the entry and its reversal; they replace those of an earlier accrual.

        What is posted is what was looked at: where something has changed since, that is
        shown first.
        """
        self.ensure_one()
        self._check_may()
        accrual = self.sudo()._check_is("draft")
        Entries = self.env["fusion.billing.accrual.entries"].sudo()
        Entries._check_open(accrual.company_id, accrual.date, accrual.journal_id)
        if not accrual.journal_id or not accrual.accrued_account_id:
            raise UserError(self.env._("Choose a journal and an account first."))
        if accrual._start("_post_now", self._is_long()) == CHANGED:
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "type": "warning",
                    "sticky": True,
                    "message": self._changed_text(),
                    "next": {"type": "ir.actions.client", "tag": "soft_reload"},
                },
            }
        return True

    def _post_now(self):
        """Post what was looked at.

        :return: ``CHANGED`` where something has changed since, and nothing is posted
        """
        if self.state != "draft":
            return None  # it was posted when the server was stopped
        if self._work_out():
            if self.env.context.get("fc_job"):  # nobody waits for the answer
                self.message_post(body=self._changed_text())
            return CHANGED
        earlier = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("date", "=", self.date),
                ("state", "=", "posted"),
            ]
        )
        earlier._take_back("replaced")
        earlier.replaced_by_id = self
        move, reversal = self.env["fusion.billing.accrual.entries"]._make(self)
        self.write(
            {
                "move_id": move.id,
                "reversal_id": reversal.id,
                "state": "posted",
                "posted_at": fields.Datetime.now(),
                "posted_by_id": self.env.uid,
            }
        )
        self.flush_recordset()  # somebody else may have been faster
        return None

    def _changed_text(self):
        return self.env._(
            "Something has changed since these figures were computed: usage "
            "arrived, or a document was posted. Nothing is posted yet. Review the "
            "new figures and post again."
        )

    def action_cancel(self):
        """Take the entries back; of a draft, drop it."""
        self._check_may()
        for accrual in self.sudo():
            accrual._check_is("draft", "posted")
            if accrual._is_at_work():
                raise UserError(
                    self.env._("It is being worked on: the page says how far that is.")
                )
            if accrual.move_id:
                self.env["fusion.billing.accrual.entries"]._check_open(
                    accrual.company_id, accrual.date, accrual.journal_id
                )
            accrual._take_back("cancelled")

    def _take_back(self, state):
        Entries = self.env["fusion.billing.accrual.entries"].sudo()
        for accrual in self.sudo():
            made = Entries._take_back(accrual.move_id | accrual.reversal_id)
            if made:
                accrual.message_post(
                    body=self.env._(
                        "Its entries could not be reset, and were reversed: %s",
                        ", ".join(made.mapped("name")),
                    )
                )
            accrual.state = state
        self.flush_recordset()

    def _check_is(self, *states):
        """These accruals; :raises UserError: one of them is in another state"""
        labels = dict(self._fields["state"]._description_selection(self.env))
        for accrual in self:
            if accrual.state not in states:
                raise UserError(
                    self.env._(
                        "%(accrual)s is already %(state)s.",
                        accrual=accrual.display_name,
                        state=labels[accrual.state].lower(),
                    )
                )
        return self

    # -- what it leads to ------------------------------------------------------

    def action_view_lines(self):
        """By customer, subscription and price: quantity, amount, and why."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": "fusion.billing.accrual.line",
            "view_mode": "list,pivot,form",
            "domain": [("accrual_id", "=", self.id)],
            "context": {"search_default_group_partner": 1},
        }

    def action_view_left_out(self):
        self.ensure_one()
        action = self.action_view_lines()
        action["domain"] = [("accrual_id", "=", self.id), ("amount", "=", 0)]
        action["context"] = {"search_default_group_reason": 1}
        return action

    def action_view_entries(self):
        """The entry and its reversal."""
        self.ensure_one()
        self.check_access("read")
        moves = self.sudo().move_id | self.sudo().reversal_id
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Journal Entries"),
            "res_model": "account.move",
            "view_mode": "list,form",
            "domain": [("id", "in", moves.ids)],
        }
