import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

CRON = "fusion_centralized_billing.cron_jobs"
LIVE = ("waiting", "running")
# Work that ended so often without an end of its own is not begun again.
ATTEMPTS = 3
KEEP_DAYS = 90
_LOCK = "fcb_job"


class FusionBillingJob(models.Model):
    """Work on one record that takes longer than people wait: done in the background.

    waiting   until the scheduled action takes it; again, when its time was over
    running   at work; or the process was killed: the next run of the action, which is
              the only one there is, begins anew
    failed    says why; of a process that was killed ``ATTEMPTS`` times, that

    Its row is written by short transactions of its own, so that people see how far it
    is while the work itself is still one transaction that nobody sees.
    """

    _name = "fusion.billing.job"
    _inherit = ["fusion.billing.guarded"]
    _description = "Background Work"
    _order = "id desc"
    _rec_name = "work"

    res_model = fields.Char(string="Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", required=True, readonly=True
    )
    work = fields.Char(required=True, readonly=True, help="Name of the method.")
    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade")
    user_id = fields.Many2one(
        "res.users", string="Asked For By", required=True, readonly=True
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("running", "At Work"),
            ("done", "Done"),
            ("failed", "Failed"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="waiting",
    )
    done_count = fields.Integer(string="Done", readonly=True)
    total_count = fields.Integer(string="Of", readonly=True)
    problem = fields.Text(readonly=True)
    attempts = fields.Integer(readonly=True, default=0)
    started_at = fields.Datetime("Started On", readonly=True)
    finished_at = fields.Datetime(readonly=True)

    _once = models.UniqueIndex(
        "(res_model, res_id) WHERE state IN ('waiting', 'running')",
        "This is at work already.",
    )
    _of_record = models.Index("(res_model, res_id, id)")

    # -- asked for -------------------------------------------------------------

    @api.model
    def _ask(self, record, work):
        """Have something done in the background, unless it is at work already.

        :param record: one record whose model is a ``fusion.billing.long.work``
        :param str work: name of a method of it, without parameters
        """
        self.sudo().create(
            {
                "res_model": record._name,
                "res_id": record.id,
                "work": work,
                "company_id": record.company_id.id,
                "user_id": self.env.uid,
            }
        )
        self.env.ref(CRON).sudo()._trigger()

    @api.model
    def _latest(self, records):
        """The last job of each record (dict: id -> job)."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT max(id) FROM fusion_billing_job"
                " WHERE res_model = %s AND res_id = ANY(%s) GROUP BY res_id",
                records._name,
                records.ids,
            )
        )
        jobs = self.sudo().browse([key for [key] in rows])
        return {job.res_id: job for job in jobs}

    @api.model
    def _has_many_events(self, most):
        """Whether there are more events in the database than a number, about (bool)."""
        [[events]] = self.env.execute_query(
            SQL(
                "SELECT reltuples::bigint FROM pg_class"
                " WHERE oid = 'fusion_billing_usage'::regclass"
            )
        )
        return events > most

    # -- at work ---------------------------------------------------------------

    @api.model
    def _cron_run(self):
        """Do what waits, the oldest first; what fails stops no other."""
        tried = self.browse()
        while job := self.search(
            [("state", "in", LIVE), ("id", "not in", tried.ids)], order="id", limit=1
        ):
            tried |= job
            left = self.search_count([("state", "in", LIVE)])
            self.env["ir.cron"]._commit_progress(remaining=left)
            if not job._run():
                return
        self.env["ir.cron"]._commit_progress(remaining=0)

    def _run(self):
        """Do it, and note what came of it.

        :return: whether there is time for another one
        """
        Cron = self.env["ir.cron"]
        # Held by the connection: a process that is killed lets go of it.
        [[is_free]] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_lock(hashtext(%s), %s)", _LOCK, self.id)
        )
        if not is_free:
            return True
        try:
            if self.attempts >= ATTEMPTS:
                self._fail(
                    self.env._(
                        "It was interrupted %s times: the server was stopped, or it"
                        " took longer than scheduled actions may"
                        " (limit_time_real_cron).",
                        ATTEMPTS,
                    )
                )
                return True
            self.write(
                {
                    "state": "running",
                    "attempts": self.attempts + 1,
                    "started_at": fields.Datetime.now(),
                    "done_count": 0,
                    "total_count": 0,
                }
            )
            Cron._commit_progress()
            is_done = self._do()
            time_left = Cron._commit_progress(int(is_done is True))
            return bool(time_left) and is_done is not False
        except Exception:
            # A transaction that has failed takes no statement: the lock would stay with
            # the connection, which is used again, and nobody else could do the work.
            self.env.cr.rollback()
            raise
        finally:
            self.env.cr.execute(
                "SELECT pg_advisory_unlock(hashtext(%s), %s)", [_LOCK, self.id]
            )

    def _do(self):
        """The work, in a transaction of its own.

        :return: True: it is over; False: there is no time to go on; None: it is begun
            anew, as another transaction was in its way
        """
        user, model, key, work = self.user_id, self.res_model, self.res_id, self.work
        context = {
            **self.env.context,
            "fc_job": self.id,
            "lang": user.lang,
            "tz": user.tz,
        }
        # What was read begins a snapshot. The work notes its progress beside it, and
        # a row that has changed since cannot be written by who sees the old one.
        self.env["ir.cron"]._commit_progress()
        try:
            with self.env.registry.cursor() as cr:
                env = api.Environment(cr, user.id, context, su=True)
                record = env[model].browse(key).exists()
                if not record:
                    raise UserError(self.env._("The record was deleted."))
                if record.company_id:
                    record = record.with_company(record.company_id)
                is_over = getattr(record, work)() is not False
                env.flush_all()
        except (OperationalError, ConcurrencyError):
            self.invalidate_recordset()
            self.state = "waiting"
            return None
        except Exception as exc:
            if not isinstance(exc, UserError):
                _logger.exception("%s of %s failed", self.work, self.res_model)
            self._fail(str(exc) or type(exc).__name__)
            return True
        self.invalidate_recordset()
        if is_over:
            self.write({"state": "done", "finished_at": fields.Datetime.now()})
        else:  # it goes on where it is: that is no failure
            self.write({"state": "waiting", "attempts": 0})
        return is_over

    def _fail(self, problem):
        self.invalidate_recordset()
        self.write(
            {
                "state": "failed",
                "problem": problem,
                "finished_at": fields.Datetime.now(),
            }
        )
        record = self.env[self.res_model].browse(self.res_id).exists()
        record._work_failed(self.work, problem)

    @api.model
    def _tell(self, done, total):
        """How far the work is that is being done; others see it at once."""
        job = self.env.context.get("fc_job")
        if job:
            with self.env.registry.cursor() as cr:
                cr.execute(
                    "UPDATE fusion_billing_job SET done_count = %s, total_count = %s"
                    " WHERE id = %s",
                    [done, total, job],
                )

    @api.autovacuum
    def _prune(self):
        until = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        domain = [("state", "not in", LIVE), ("finished_at", "<", until)]
        self.search(domain, limit=1000).unlink()
