from odoo import api, fields, models
from odoo.exceptions import UserError

from .job import LIVE

JOB_FIELDS = ["job_state", "job_done_count", "job_total_count", "job_progress"]
JOB_FIELDS += ["job_problem"]


class FusionBillingLongWork(models.AbstractModel):
    """A record with work that can take longer than people wait.

    Little is done at once; much is done by ``fusion.billing.job`` in the background,
    and the record says how far that is.
    """

    _name = "fusion.billing.long.work"
    _description = "What Can Take Long"

    job_state = fields.Selection(
        lambda self: self.env["fusion.billing.job"]._fields["state"].selection,
        string="Running",
        compute="_compute_job",
    )
    job_done_count = fields.Integer(string="Done", compute="_compute_job")
    job_total_count = fields.Integer(string="Of", compute="_compute_job")
    job_progress = fields.Float(string="Progress", compute="_compute_job")
    job_problem = fields.Text(string="What Went Wrong", compute="_compute_job")

    def _compute_job(self):
        jobs = self.env["fusion.billing.job"]._latest(self)
        for record in self:
            job = jobs.get(record.id, self.env["fusion.billing.job"]).sudo()
            record.job_state = job.state
            record.job_done_count = job.done_count
            record.job_total_count = job.total_count
            record.job_progress = 100 * job.done_count / (job.total_count or 1)
            record.job_problem = job.state == "failed" and job.problem

    @api.model
    def _tell(self, done, total):
        """How far it is, for work that is done in the background."""
        self.env["fusion.billing.job"]._tell(done, total)

    def _is_at_work(self):
        self.invalidate_recordset(JOB_FIELDS)
        return self.job_state in LIVE

    def _start(self, work, is_long):
        """Do something now, or have it done in the background.

        :param str work: name of a method without parameters. It is repeated when the
            server was stopped in its midst; what it returns is ``False`` where it has
            to go on later
        :param bool is_long: it takes longer than people wait
        :return: what it returned, done now; None in the background
        :raises UserError: the record is at work already
        """
        self.ensure_one()
        if self._is_at_work():
            raise UserError(
                self.env._("This is at work already: the page says how far it is.")
            )
        if not is_long:
            return getattr(self, work)()
        self.env["fusion.billing.job"]._ask(self, work)
        self.invalidate_recordset(JOB_FIELDS)
        return None

    def _work_failed(self, work, problem):
        """What is to be put right of a record whose work has failed; as the superuser.

        What the work has written in its last transaction was undone already.
        """

    def action_reload(self):
        """How far it is by now."""
        self.check_access("read")
        return {"type": "ir.actions.client", "tag": "soft_reload"}
