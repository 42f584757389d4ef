from datetime import timedelta

from odoo import api, fields, models

KEEP_PARAMETER = "fusion_centralized_billing.api_log_days"
KEEP_DAYS = 30
MAX_DAYS = 36_500
BATCH = 10_000


class FusionBillingApiLog(models.Model):
    """Which requests source apps made, and how each was answered.

    Without the content: no bodies, no keys, no addresses. A request without a valid key
    belongs to no app, and so is not here.
    """

    _name = "fusion.billing.api.log"
    _description = "API Log"
    _inherit = ["fusion.billing.guarded"]
    _order = "id desc"
    _log_access = False
    _rec_name = "route"

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="service_id.company_id")
    key_id = fields.Many2one(
        "fusion.billing.api.key", string="Key", readonly=True, ondelete="set null"
    )
    called_at = fields.Datetime(string="Time", required=True, readonly=True)
    method = fields.Char(readonly=True)
    route = fields.Char(readonly=True)
    status = fields.Integer(readonly=True, aggregator=None)
    duration_ms = fields.Float(string="Milliseconds", readonly=True, aggregator="avg")
    event_count = fields.Integer(string="Events", readonly=True)
    accepted = fields.Integer(readonly=True)
    duplicates = fields.Integer(readonly=True)
    conflicts = fields.Integer(readonly=True)
    rejected = fields.Integer("Refused", readonly=True)
    error_codes = fields.Char(string="Errors", readonly=True)
    request_id = fields.Char("Request ID", readonly=True)
    request_bytes = fields.Integer("Request Size (Bytes)", readonly=True)

    _of_service = models.Index("(service_id, called_at)")
    _age = models.Index("(called_at)")
    _named = models.Index("(request_id)")

    @api.model
    def _write_call(self, cr, values):
        """Note one request.

        :param cr: the cursor to write with
        :param dict values: field values but ``called_at``, which is now
        """
        values = {"called_at": fields.Datetime.now()} | values
        columns = ", ".join(values)
        cr.execute(
            f"INSERT INTO fusion_billing_api_log ({columns}) VALUES %s",
            [tuple(values.values())],
        )

    @api.model
    def _days_kept(self):
        """For how many days (int) requests are told of."""
        parameter = self.env["ir.config_parameter"].sudo().get_param(KEEP_PARAMETER)
        days = int(parameter) if (parameter or "").isdecimal() else KEEP_DAYS
        return min(days, MAX_DAYS)

    @api.autovacuum
    def _prune(self):
        """Delete what is older than the setting says, in committed batches.

        :return: (deleted, whether more is left), as Odoo's vacuum wants it
        """
        self.env.cr.execute(
            """
            DELETE FROM fusion_billing_api_log
             WHERE id IN (SELECT id FROM fusion_billing_api_log
                           WHERE called_at < %s LIMIT %s)
            """,
            [fields.Datetime.now() - timedelta(days=self._days_kept()), BATCH],
        )
        return self.env.cr.rowcount, self.env.cr.rowcount == BATCH
