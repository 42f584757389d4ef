from odoo import fields, models

CLOSED_PARAMETER = "fusion_centralized_billing.api_docs_closed"


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    fc_billing_tz = fields.Selection(related="company_id.fc_billing_tz", readonly=False)
    fc_future_tolerance_hours = fields.Float(
        related="company_id.fc_future_tolerance_hours", readonly=False
    )
    fc_block_bad_invoices = fields.Boolean(
        related="company_id.fc_block_bad_invoices", readonly=False
    )
    fc_accrual_journal_id = fields.Many2one(
        string="Journal for Usage Accruals",
        related="company_id.fc_accrual_journal_id",
        readonly=False,
    )
    fc_accrued_revenue_account_id = fields.Many2one(
        related="company_id.fc_accrued_revenue_account_id", readonly=False
    )
    fc_hold_differing = fields.Boolean(
        related="company_id.fc_hold_differing", readonly=False
    )
    fc_max_events = fields.Integer(
        string="Events per Request",
        config_parameter="fusion_centralized_billing.max_events",
        default=10_000,
    )
    fc_api_docs_closed = fields.Boolean(
        string="Hide API Documentation",
        config_parameter=CLOSED_PARAMETER,
    )
    fc_api_log_days = fields.Integer(
        string="API Log Retention (Days)",
        config_parameter="fusion_centralized_billing.api_log_days",
        default=30,
    )
    fc_webhook_days = fields.Integer(
        string="Delivered Webhooks Retention (Days)",
        config_parameter="fusion_centralized_billing.webhook_days",
        default=90,
    )
