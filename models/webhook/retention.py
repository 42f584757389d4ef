from datetime import timedelta

from odoo import api, fields, models

KEEP_PARAMETER = "fusion_centralized_billing.webhook_days"
KEEP_DAYS = 90
# Since this moment no event was deleted, so the audit can ask for each of them.
KEPT_SINCE_PARAMETER = "fusion_centralized_billing.webhooks_kept_since"
# An event has the time when its transaction began, and the change it tells of can be
# later by as long as a transaction lasts.
LONGEST_TRANSACTION = timedelta(hours=1)
BATCH = 10_000
MAX_DAYS = 36_500  # a century: more was mistyped


class FusionBillingWebhookRetention(models.AbstractModel):
    """Delivered events are deleted after a time; those that were given up are kept.

    Events of services without an address, which are never sent, go with the delivered.
    """

    _name = "fusion.billing.webhook.retention"
    _description = "Retention of Webhooks"

    _done = models.Index(
        """(COALESCE(sent_at, create_date))
        WHERE state = 'sent' OR (state = 'pending' AND next_attempt_at IS NULL)"""
    )

    @api.model
    def _prune(self):
        """Delete what was delivered longer ago than the setting says, with attempts.

        :return: (deleted, whether more is left), as Odoo's vacuum wants it
        """
        Parameter = self.env["ir.config_parameter"].sudo()
        parameter = Parameter.get_param(KEEP_PARAMETER)
        days = int(parameter) if (parameter or "").isdecimal() else KEEP_DAYS
        until = fields.Datetime.now() - timedelta(days=min(days, MAX_DAYS))
        self.env.cr.execute(
            """
            DELETE FROM fusion_billing_webhook
             WHERE id IN (
                   SELECT id FROM fusion_billing_webhook
                    WHERE (state = 'sent'
                           OR (state = 'pending' AND next_attempt_at IS NULL))
                      AND COALESCE(sent_at, create_date) < %s
                    LIMIT %s)
            """,
            [until, BATCH],
        )
        deleted = self.env.cr.rowcount
        until = fields.Datetime.to_string(until + LONGEST_TRANSACTION)
        if deleted and until > self._kept_since():
            Parameter.set_param(KEPT_SINCE_PARAMETER, until)
        return deleted, deleted == BATCH

    @api.model
    def _kept_since(self):
        """The moment (UTC, as text) since which every change has its event here."""
        Parameter = self.env["ir.config_parameter"].sudo()
        return Parameter.get_param(KEPT_SINCE_PARAMETER, "1970-01-01 00:00:00")
