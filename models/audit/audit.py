import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..base import groups
from .messages import INVARIANTS, NOTES

_logger = logging.getLogger(__name__)

KEEP_DAYS = 90
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
    _inherit = ["mail.thread", "mail.activity.mixin", "fusion.billing.guarded"]
    _order = "id desc"
    _rec_name = "started_at"

    started_at = fields.Datetime(string="Started", required=True, readonly=True)
    finished_at = fields.Datetime(string="Finished", readonly=True)
    company_id = fields.Many2one(
        "res.company", readonly=True, index=True, help="Empty: all companies."
    )
    user_id = fields.Many2one("res.users", string="Started By", readonly=True)
    state = fields.Selection(
        [("clean", "Clean"), ("violations", "Violations"), ("failed", "Failed")],
        required=True,
        readonly=True,
        help="Failed: a check could not be made; see its line.",
    )
    violation_count = fields.Integer(
        string="Violations", readonly=True, aggregator=None
    )
    waiting_count = fields.Integer(
        aggregator=None,
        string="Subscriptions Waiting",
        readonly=True,
        help="They have usage that is still to be rated, and are known to be behind:"
        " that part of them was left out.",
    )
    result_ids = fields.One2many("fusion.billing.audit.result", "audit_id")
    finding_ids = fields.One2many("fusion.billing.audit.finding", "audit_id")

    # -- running ---------------------------------------------------------------

    @api.model
    def _run(self, company=None):
        """Check all invariants, and keep what was found.

        :param company: a ``res.company``, or None for all companies
        :return: the new ``fusion.billing.audit`` record
        """
        started = fields.Datetime.now()
        self.env.flush_all()
        Audit = self.sudo()
        Check = self.env["fusion.billing.audit.check"].sudo()
        scope = Check._scope(company)
        results, findings = [], []
        for invariant, _name in INVARIANTS:
            result, rows = Audit._run_one(invariant, scope)
            results.append(result)
            findings += rows
        total = sum(result["violations"] for result in results)
        failed = any(result["error"] for result in results)
        audit = Audit.create(
            {
                "started_at": started,
                "finished_at": fields.Datetime.now(),
                "company_id": company.id if company else False,
                "user_id": self.env.uid,
                "state": "failed" if failed else "violations" if total else "clean",
                "violation_count": total,
                "waiting_count": Check._count_waiting(scope),
            }
        )
        for rows in (results, findings):
            for values in rows:
                values["audit_id"] = audit.id
        self.env["fusion.billing.audit.result"].sudo().create(results)
        self.env["fusion.billing.audit.finding"].sudo().create(findings)
        if total or failed:
            audit._ask_to_look()
        return audit.with_env(self.env)

    def _run_one(self, invariant, scope):
        """Check one invariant; one that cannot be checked stops no other.

        :return: (values of its result, list of values of its findings)
        """
        result = {"invariant": invariant, "checked": 0, "violations": 0, "error": False}
        findings = []
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
        except psycopg2.OperationalError:
            raise  # the connection, or a concurrent transaction: Odoo's to repeat
        except Exception as exc:
            _logger.exception("The audit of %s failed", invariant)
            result["error"] = str(exc) or type(exc).__name__
        return result, findings

    @api.model
    def _cron_run(self):
        self._run()

    def action_run(self):
        """The button: now, or by the job where it takes longer than people wait.

        A button is pressed on records: on those that are selected in the list, if any,
        and on the one that is open. The audit is a new one in any case.
        """
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group(groups.MANAGER)):
            raise AccessError(self.env._("Only billing managers may run the audit."))
        [[events]] = self.env.execute_query(
            SQL(
                "SELECT reltuples::bigint FROM pg_class"
                " WHERE oid = 'fusion_billing_usage'::regclass"
            )
        )
        if events > AT_ONCE:
            self.env.ref("fusion_centralized_billing.cron_audit").sudo()._trigger()
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "type": "info",
                    "message": self.env._(
                        "There is much to read. The audit runs in the background, and"
                        " stands in this list when it is done."
                    ),
                },
            }
        audit = self._run(self.env.company)
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": audit.id,
            "view_mode": "form",
        }

    # -- before an invoice is posted -------------------------------------------

    def _check_before_posting(self, moves):
        """Hold the usage of these invoices to what the audit asks of it.

        Where the company wants a wrong invoice not to be posted.

        :raises UserError: one would break I2, I3 or I5
        """
        moves = moves.filtered("company_id.fc_block_bad_invoices").sudo()
        ratings = moves.fc_rating_ids.filtered(lambda r: r.state != "open")
        if not ratings:
            return
        self.env.flush_all()
        scope = self.env["fusion.billing.audit.check"]._scope(
            orders=ratings.subscription_id
        )
        found = [
            *self.env["fusion.billing.audit.usage"].sudo()._wrong_quantities(scope),
            *self.env["fusion.billing.audit.ledger"].sudo()._billed_twice(scope),
            *self.env["fusion.billing.audit.windows"].sudo()._not_in_order(scope),
        ]
        windows = ratings.grouped(lambda r: r.subscription_id.id)
        Finding = self.env["fusion.billing.audit.finding"]
        for kind, rows, _total in found:
            for row in rows:
                billed = windows.get(row["subscription_id"], ())
                rating = next(
                    (
                        r
                        for r in billed
                        if row.get("metric_id") in (None, r.metric_id.id)
                        and r.window_start < row["window_end"]
                        and row["window_start"] < r.window_end
                    ),
                    None,
                )
                if rating:
                    [finding] = Finding._prepare_all(kind, [row])
                    raise UserError(
                        self.env._(
                            "%(invoice)s is not posted, because it would be wrong:\n"
                            "%(message)s\n"
                            "Delete the draft and invoice the subscription anew, or"
                            " ask who looks after Fusion Billing.",
                            invoice=rating.invoice_id.display_name,
                            message=finding["message"],
                        )
                    )

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
                summary=self.env._("The billing audit found something wrong"),
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

    # -- looking ---------------------------------------------------------------

    def action_view_findings(self):
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "fusion_centralized_billing.audit_finding_action"
        )
        return action | {
            "domain": [("audit_id", "=", self.id)],
            "context": {"search_default_group_invariant": 1},
        }
