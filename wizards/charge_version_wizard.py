from dateutil.relativedelta import relativedelta

from odoo import api, fields, models


class FusionBillingChargeVersionWizard(models.TransientModel):
    """Asks from which day on a price is another one."""

    _name = "fusion.billing.charge.version.wizard"
    _description = "New Version of a Price"
    _inherit = ["fusion.billing.guarded"]

    charge_id = fields.Many2one(
        "fusion.billing.charge", string="Usage Price", required=True, ondelete="cascade"
    )
    terms_text = fields.Char(related="charge_id.terms_text", string="Price Until Then")
    last_billed_day = fields.Date(
        string="Invoiced Up To",
        compute="_compute_last_billed_day",
        help="The latest billing window that was invoiced at this price begins on this "
        "day.",
    )
    date_start = fields.Date(
        string="First Day",
        required=True,
        default=lambda self: self._next_month(),
        help="Billing windows that begin on or after this day have the new price.",
    )
    open_count = fields.Integer(
        string="Billing Windows Affected",
        compute="_compute_open_count",
        help="Billing windows that are not invoiced yet and begin on or after this "
        "day.",
    )

    @api.model
    def _next_month(self):
        today = fields.Date.context_today(self)
        return today + relativedelta(months=1, day=1)

    @api.depends("charge_id")
    def _compute_last_billed_day(self):
        for wizard in self:
            charge = wizard.charge_id
            wizard.last_billed_day = charge and charge._last_billed_day()

    @api.depends("charge_id", "date_start")
    def _compute_open_count(self):
        Window = self.env["fusion.billing.window"]
        for wizard in self:
            charge = wizard.charge_id
            wizard.open_count = charge and Window.search_count(
                [
                    ("plan_id", "=", charge.plan_id.id),
                    ("company_id", "=", charge.company_id.id),
                    ("kind", "=", "billing"),
                    ("is_settled", "!=", True),
                    ("first_day", ">=", wizard.date_start),
                ]
            )

    def action_create(self):
        """Make the version, and open it so that its price can be entered."""
        self.ensure_one()
        version = self.charge_id._new_version(self.date_start)
        return {
            "type": "ir.actions.act_window",
            "res_model": "fusion.billing.charge",
            "res_id": version.id,
            "view_mode": "form",
        }
