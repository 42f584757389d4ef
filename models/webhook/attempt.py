from odoo import api, fields, models


class FusionBillingWebhookAttempt(models.Model):
    """One attempt to deliver a webhook event, and what the receiver said to it."""

    _name = "fusion.billing.webhook.attempt"
    _description = "Webhook Attempt"
    _inherit = ["fusion.billing.guarded"]
    _order = "id desc"
    _rec_name = "started_at"
    _log_access = False  # who and when: the delivery job, at started_at

    webhook_id = fields.Many2one(
        "fusion.billing.webhook",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="service_id.company_id")
    event_type = fields.Char(related="webhook_id.event_type")
    started_at = fields.Datetime("Started On", required=True, readonly=True)
    duration_ms = fields.Integer(
        string="Duration (ms)", readonly=True, aggregator="avg"
    )
    result = fields.Selection(
        [
            ("delivered", "Delivered"),
            ("refused", "Refused"),
            ("unreachable", "No Answer"),
        ],
        required=True,
        readonly=True,
        help="Refused: the receiver responded, but not with 2xx.",
    )
    status = fields.Integer(string="HTTP Status", readonly=True, aggregator=False)
    error = fields.Char(readonly=True)
    response_head = fields.Text(
        string="Response",
        readonly=True,
        help="The beginning of the response body, at most 1 KB.",
    )

    # The health of a receiver over time, and pruning.
    _of_service = models.Index("(service_id, started_at)")

    @api.model
    def _add(self, attempts):
        """Note attempts, by one statement.

        :param attempts: list of (``Claim``, ``Outcome``), see webhook_sender.py
        """
        self.env.cr.execute_values(
            """
            INSERT INTO fusion_billing_webhook_attempt
                   (webhook_id, service_id, started_at, duration_ms, result, status,
                    error, response_head)
            VALUES %s
            """,
            [
                (
                    claim.id,
                    claim.service,
                    outcome.started_at or fields.Datetime.now(),
                    round((outcome.seconds or 0) * 1000),
                    "delivered"
                    if outcome.is_delivered
                    else "refused"
                    if outcome.status
                    else "unreachable",
                    outcome.status or 0,
                    outcome.error,
                    outcome.head or None,
                )
                for claim, outcome in attempts
            ],
            page_size=1000,
        )
