import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_datetime, formatLang

from ..base import groups
from .messages import INVARIANTS, NOTES

_logger = logging.getLogger(__name__)

KEEP_DAYS = 90
# After so many hours without a run of all companies, what the last one said is old.
RUNS_EVERY_HOURS = 36
# Whoever holds it runs the audit; two runs would both note the same finding as new.
_LOCK = "fcb_audit"
STATES = [
    ("waiting", "Running"),
    ("nothing", "Nothing Checked"),
    ("clean", "Agrees"),
    ("partial", "Agrees in Part"),
    ("explained", "Explained"),
    ("violations", "Differs"),
    ("failed", "Failed"),
]
# Invariant -> the models, beneath this one, that check it; see ``check.py``.
# Of I8 there is nothing to check that I2 does not: see the help of the result.
PARTS = {
    "I1": ("events",),
    "I2": ("usage",),
    "I3": ("ledger", "documents"),
    "I4": ("events", "ledger", "items"),
    "I5": ("windows",),
    "I6": ("prices", "documents", "items"),
    "I7": ("ledger",),
    "I8": (),
    "I9": ("links",),
    "I10": ("outbox",),
}
# Up to so many events a person waits for the result; beyond, the job makes it.
AT_ONCE = 500_000


class FusionBillingAudit(models.Model):
    """One run over the books: does what is stored keep what was promised (I1 to I10)?

    It changes nothing that it looks at. All of it sees one moment of the database, so
    that work that goes on meanwhile is no violation.
    """

    _name = "fusion.billing.audit"
    _description = "Billing Audit"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "fusion.billing.guarded",
        "fusion.billing.long.work",
    ]
    _order = "id desc"
    _rec_name = "started_at"

    started_at = fields.Datetime(string="Started", required=True, readonly=True)
    finished_at = fields.Datetime(string="Finished", readonly=True)
    company_id = fields.Many2one(
        "res.company", readonly=True, index=True, help="Empty: all companies."
    )
    user_id = fields.Many2one("res.users", string="Started By", readonly=True)
    state = fields.Selection(
        STATES,
        string="Status",
        required=True,
        readonly=True,
        help="Agrees: everything was checked and agrees.\n"
        "Agrees in Part: what was checked agrees; some subscriptions were not "
        "checked in full.\n"
        "Nothing Checked: there was nothing to check, so nothing is known.\n"
        "Explained: all differences were accepted by a user, with a reason.\n"
        "Differs: something is wrong and not explained yet.\n"
        "Failed: a check could not be made; see its line.",
    )
    violation_count = fields.Integer(string="Found", readonly=True, aggregator=None)
    open_count = fields.Integer(
        string="Still Open",
        compute="_compute_open_count",
        help="Findings of this run that are open or in progress now.",
    )
    checked_count = fields.Integer(
        string="Checked",
        readonly=True,
        aggregator=None,
        help="How many events, billing windows and ratings all checks together have "
        "covered. At 0, no finding means nothing.",
    )
    waiting_count = fields.Integer(
        aggregator=None,
        string="Subscriptions Not Checked in Full",
        readonly=True,
        help="They have usage that is still to be rated. That part was not checked.",
    )
    result_ids = fields.One2many(
        "fusion.billing.audit.result", "audit_id", string="Checks"
    )
    finding_ids = fields.Many2many(
        "fusion.billing.audit.finding",
        "fusion_billing_audit_finding_run",
        "audit_id",
        "finding_id",
        readonly=True,
    )

    words = fields.Char(string="Summary", compute="_compute_words")

    @api.depends("state", "waiting_count", "violation_count", "checked_count")
    def _compute_words(self):
        for audit in self:
            done = audit.state != "waiting"
            audit.words = self._last_words(audit) if done else ""

    @api.depends("finding_ids.state")
    def _compute_open_count(self):
        for audit in self:
            audit.open_count = len(audit.finding_ids._unsettled())

    # -- running ---------------------------------------------------------------

    @api.model
    def _run(self, company=None, audit=None):
        """Check all invariants, and keep what was found.

        :param company: a ``res.company``, or None for all companies
        :param audit: the record that was made when the run was asked for, or None
        :return: the ``fusion.billing.audit`` record
        :raises UserError: another run is at work
        """
        self._take_turn()
        started = fields.Datetime.now()
        self.env.flush_all()
        Audit = self.sudo()
        scope = self.env["fusion.billing.audit.check"].sudo()._scope(company)
        results, found, complete = [], [], set()
        for number, (invariant, _name) in enumerate(INVARIANTS):
            self._tell(number, len(INVARIANTS))
            result, rows, kinds = Audit._run_one(invariant, scope)
            results.append(result)
            found += rows
            complete |= kinds
        values = {
            "started_at": started,
            "finished_at": fields.Datetime.now(),
            "company_id": company.id if company else False,
            "state": "nothing",
            "violation_count": sum(result["violations"] for result in results),
            "checked_count": sum(result["checked"] for result in results),
        }
        if audit:
            audit.sudo().write(values)
        else:
            audit = Audit.create(values | {"user_id": self.env.uid})
        for values in results:
            values["audit_id"] = audit.id
        self.env["fusion.billing.audit.result"].sudo().create(results)
        Finding = self.env["fusion.billing.audit.finding"].sudo()
        waiting = self.env["fusion.billing.audit.check"].sudo()._waiting(scope)
        Finding._take_up(audit, found, complete, waiting)
        audit.sudo().waiting_count = len(waiting)
        audit._judge_run()
        if audit.state in ("violations", "failed"):
            audit._ask_to_look()
        return audit.with_env(self.env)

    def _take_turn(self):
        [[is_free]] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_xact_lock(hashtext(%s))", _LOCK)
        )
        if not is_free:
            raise UserError(
                self.env._(
                    "The audit is already running. Please try again in a minute."
                )
            )

    def _judge_run(self):
        """Say what the run comes to, by what was found and what was explained since."""
        for audit in self.sudo():
            if audit.state == "waiting":
                continue
            explained = audit.finding_ids.filtered(
                lambda f: f.state == "accepted" and not f.is_note
            )
            if any(audit.result_ids.mapped("error")):
                audit.state = "failed"
            elif audit.violation_count > len(explained):
                audit.state = "violations"
            elif audit.violation_count:
                audit.state = "explained"
            elif not audit.checked_count:
                audit.state = "nothing"
            else:
                audit.state = "partial" if audit.waiting_count else "clean"

    def _run_one(self, invariant, scope):
        """Check one invariant; one that cannot be checked stops no other.

        :return: (values of its result, list of values of its findings, the kinds of
            violation of which all that there are were found)
        """
        result = {"invariant": invariant, "checked": 0, "violations": 0, "error": False}
        findings, complete = [], set()
        Finding = self.env["fusion.billing.audit.finding"]
        try:
            with self.env.cr.savepoint(flush=False):
                for part in PARTS[invariant]:
                    model = self.env[f"fusion.billing.audit.{part}"]
                    checked, found = getattr(model, f"_check_{invariant.lower()}")(
                        scope
                    )
                    result["checked"] = max(result["checked"], checked)
                    for kind, rows, total in found:
                        if kind not in NOTES:
                            result["violations"] += total
                        findings += Finding._prepare_all(kind, rows)
                        if len(rows) == total:
                            complete.add(kind)
        except psycopg2.OperationalError:
            raise  # the connection, or a concurrent transaction: Odoo's to repeat
        except Exception as exc:
            _logger.exception("The audit of %s failed", invariant)
            result["error"] = str(exc) or type(exc).__name__
            complete = set()
        return result, findings, complete

    @api.model
    def _cron_run(self):
        """The nightly run of all companies."""
        self._run()

    def _run_asked(self):
        """The run that somebody has asked for, unless it was made already."""
        if self.state == "waiting":
            self._run(self.company_id, self)

    def _work_failed(self, work, problem):
        now = fields.Datetime.now()
        self.write({"state": "failed", "finished_at": now})

    @api.model
    def _last(self, companies=None):
        """The last run that is done, of these companies or of all; may be empty."""
        domain = [("state", "!=", "waiting")]
        if companies is not None:
            domain.append(("company_id", "in", [*companies.ids, False]))
        return self.search(domain, limit=1, order="started_at desc, id desc")

    @api.model
    def _last_words(self, last):
        """What a run says of the books, and of what it has not looked at.

        :param last: a ``fusion.billing.audit`` record, or empty: none has run
        """
        if not last:
            return self.env._(
                "No audit has run yet, so nothing is known about the books."
            )
        when = format_datetime(self.env, last.started_at)
        said = {
            "nothing": self.env._("The run of %s had nothing to check.", when),
            "failed": self.env._("The run of %s could not make all checks.", when),
            "violations": self.env._(
                "The run of %(when)s found %(count)s differences.",
                when=when,
                count=last.violation_count,
            ),
        }.get(last.state) or self.env._(
            "The run of %(when)s checked %(count)s events, billing windows and "
            "ratings. Everything agrees or is explained.",
            when=when,
            count=formatLang(self.env, last.checked_count, digits=0),
        )
        if last.waiting_count:
            said += " " + self.env._(
                "%s subscriptions were checked only in part: some of their usage "
                "was still to be rated.",
                last.waiting_count,
            )
        days = (fields.Datetime.now() - last.started_at).total_seconds() / 86400
        if days * 24 > RUNS_EVERY_HOURS:
            said += " " + self.env._(
                "That was %s days ago; nothing since then has been checked.",
                int(days),
            )
        return said

    def action_run(self):
        """The button: now, or by the job where it takes longer than people wait.

        A button is pressed on records: on those that are selected in the list, if any,
        and on the one that is open. The audit is a new one in any case.
        """
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group(groups.MANAGER)):
            raise AccessError(self.env._("Only billing managers may run the audit."))
        company = self.env.company
        if self.env["fusion.billing.job"]._has_many_events(AT_ONCE):
            audit = self._ask_for_run(company)
        else:
            audit = self._run(company)
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": audit.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _ask_for_run(self, company):
        """The run of a company in the background; the one that waits, if one does."""
        waiting = [("state", "=", "waiting"), ("company_id", "=", company.id)]
        audit = self.search(waiting, limit=1)
        if not audit:
            audit = self.sudo().create(
                {
                    "started_at": fields.Datetime.now(),
                    "company_id": company.id,
                    "user_id": self.env.uid,
                    "state": "waiting",
                }
            )
            audit._start("_run_asked", True)
        return audit

    # -- afterwards ------------------------------------------------------------

    def _ask_to_look(self):
        """Have the people who answer for the apps look at the findings."""
        self.ensure_one()
        services = self.env["fusion.billing.service"].sudo().search([])
        companies = self.finding_ids.company_id or self.company_id
        if companies:
            services = services.filtered(lambda s: s.company_id in companies)
        managers = self.env.ref(groups.MANAGER).all_user_ids
        services = services.filtered(lambda s: s.company_id in s.user_id.company_ids)
        users = services.user_id & managers
        for user in users or managers.sorted("id")[:1]:
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("The billing audit found differences"),
                user_id=user.id,
            )

    @api.autovacuum
    def _prune(self):
        """Delete old runs with their findings; the latest one stays."""
        last = self.search([], limit=1)
        until = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        self.search(
            [("started_at", "<", until), ("id", "!=", last.id)], limit=1000
        ).unlink()
        # What somebody has given a reason for is kept: auditors ask years later.
        self.env["fusion.billing.audit.finding"].search(
            [("state", "=", "gone"), ("gone_at", "<", until), ("reason", "=", False)],
            limit=1000,
        ).unlink()

    # -- looking ---------------------------------------------------------------

    def action_view_findings(self):
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "fusion_centralized_billing.audit_finding_action"
        )
        return action | {
            "domain": [("audit_ids", "in", self.ids)],
            "context": {"search_default_group_invariant": 1},
        }
