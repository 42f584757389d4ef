from odoo import api, fields, models
from odoo.tools import date_utils


class FusionBillingAccrualWizard(models.TransientModel):
    """Asks until when, and where, unbilled usage is to be accrued."""

    _name = "fusion.billing.accrual.wizard"
    _description = "Accrue Usage"
    _inherit = ["fusion.billing.guarded"]

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    date = fields.Date(
        string="Until",
        required=True,
        default=lambda self: self._last_month_end(),
        help="The last day whose usage counts, in the company's billing time zone. The "
        "entry has this date and is reversed on the next day.",
    )
    journal_id = fields.Many2one(
        "account.journal",
        required=True,
        check_company=True,
        domain="[('type', '=', 'general')]",
        compute="_compute_accounts",
        store=True,
        readonly=False,
        precompute=True,
    )
    account_id = fields.Many2one(
        "account.account",
        string="Accrued Revenue Account",
        required=True,
        check_company=True,
        domain="[('account_type', '=', 'asset_current')]",
        compute="_compute_accounts",
        store=True,
        readonly=False,
        precompute=True,
        help="What customers owe for usage that was not invoiced yet. The other side"
        " is the income account that the invoice will have.",
    )
    posted_id = fields.Many2one(
        "fusion.billing.accrual",
        compute="_compute_posted_id",
        help="The accrual already posted for the same day. Posting again replaces it.",
    )

    @api.model
    def _last_month_end(self):
        today = fields.Date.context_today(self)
        return date_utils.subtract(date_utils.start_of(today, "month"), days=1)

    @api.depends("company_id")
    def _compute_accounts(self):
        """What was chosen last, which the company remembers."""
        Journal = self.env["account.journal"].sudo()
        for wizard in self:
            company = wizard.company_id.sudo()
            journal = company.fc_accrual_journal_id or Journal.search(
                [*Journal._check_company_domain(company), ("type", "=", "general")],
                limit=1,
            )
            wizard.journal_id = journal.sudo(False)
            wizard.account_id = company.fc_accrued_revenue_account_id.sudo(False)

    @api.depends("company_id", "date")
    def _compute_posted_id(self):
        for wizard in self:
            wizard.posted_id = self.env["fusion.billing.accrual"].search(
                [
                    ("company_id", "=", wizard.company_id.id),
                    ("date", "=", wizard.date),
                    ("state", "=", "posted"),
                ],
                limit=1,
            )

    def action_preview(self):
        """Work it out, and show it. Nothing is posted yet."""
        self.ensure_one()
        self.check_access("write")
        Accrual = self.env["fusion.billing.accrual"]
        accrual = Accrual._prepare(
            self.company_id, self.date, self.journal_id, self.account_id
        )
        self.company_id.sudo().write(
            {
                "fc_accrual_journal_id": self.journal_id.id,
                "fc_accrued_revenue_account_id": self.account_id.id,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "fusion.billing.accrual",
            "res_id": accrual.id,
            "view_mode": "form",
        }
