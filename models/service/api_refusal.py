from datetime import timedelta

from odoo import api, fields, models

from .api_log import BATCH


class FusionBillingApiRefusal(models.Model):
    """What of an app's requests is counted and not kept, minute by minute.

    Requests over its rate limit, and refused events beyond those that are kept. Not a
    row for each: an app in a loop would fill the disk with them.
    """

    _name = "fusion.billing.api.refusal"
    _description = "Refusal Counts"
    _inherit = ["fusion.billing.guarded"]
    _order = "minute desc, id desc"
    _log_access = False
    _rec_name = "minute"

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="service_id.company_id")
    minute = fields.Datetime(required=True, readonly=True)
    requests = fields.Integer(
        string="Refused Requests",
        readonly=True,
        help="Answered with HTTP 429 in this minute, and neither read nor logged.",
    )
    events = fields.Integer(
        string="Refused Events Not Kept",
        readonly=True,
        help="Usage that was refused in this minute and not kept, because the limit of "
        "refused usage for this app was reached.",
    )

    _minute_unique = models.UniqueIndex("(service_id, minute)")
    _age = models.Index("(minute)")

    @api.model
    def _count(self, service):
        """Count one refused request; see :func:`.own_transaction.own_statements`.

        :param service: the ``fusion.billing.service`` that sent it
        """
        # In one string, so in one transaction. The last of them may be lost in a
        # crash; waiting for the disk would be the dearest part of a refusal.
        self.env.cr.execute(
            """
            SET LOCAL synchronous_commit TO off;
            INSERT INTO fusion_billing_api_refusal AS r (service_id, minute, requests)
            VALUES (%s, %s, 1)
                ON CONFLICT (service_id, minute)
                DO UPDATE SET requests = r.requests + 1
            """,
            [service.id, fields.Datetime.now().replace(second=0)],
        )

    @api.model
    def _count_events(self, service, count):
        """Count refused events that are not kept, in the request's transaction."""
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_api_refusal AS r
                        (service_id, minute, requests, events)
            VALUES (%s, %s, 0, %s)
                ON CONFLICT (service_id, minute)
                DO UPDATE SET events = coalesce(r.events, 0) + excluded.events
            """,
            [service.id, fields.Datetime.now().replace(second=0), count],
        )

    @api.autovacuum
    def _prune(self):
        """Delete what is as old as what the API log deletes, in committed batches.

        :return: (deleted, whether more is left), as Odoo's vacuum wants it
        """
        days = self.env["fusion.billing.api.log"]._days_kept()
        self.env.cr.execute(
            """
            DELETE FROM fusion_billing_api_refusal
             WHERE id IN (SELECT id FROM fusion_billing_api_refusal
                           WHERE minute < %s LIMIT %s)
            """,
            [fields.Datetime.now() - timedelta(days=days), BATCH],
        )
        return self.env.cr.rowcount, self.env.cr.rowcount == BATCH
