import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError


def _tz_selection(_self):
    return [(name, name) for name in pytz.all_timezones]


class ResCompany(models.Model):
    _inherit = "res.company"

    fc_billing_tz = fields.Selection(
        _tz_selection,
        string="Billing Time Zone",
        default="UTC",
        required=True,
        help="Billing windows begin and end at midnight in this time zone.",
    )
    fc_future_tolerance_hours = fields.Float(
        string="Usage Future Tolerance (hours)",
        default=24.0,
        help="Usage that starts further in the future than this is refused.",
    )
    fc_block_bad_invoices = fields.Boolean(
        string="Hold Invoices with Wrong Amounts",
        help="An invoice stays in draft while its usage is billed twice, its windows"
        " overlap, or a rated quantity is not what the usage events come to, until that"
        " is corrected; or while its usage was changed by hand, until somebody"
        " decides.",
    )
    fc_hold_differing = fields.Boolean(
        string="Hold Invoices Whose Totals Differ",
        help="A usage invoice stays in draft while an app has declared a different "
        "total, a quantity differs from its events, or a line was changed or added "
        "by hand, until a billing manager or an accountant decides.",
    )

    fc_accrual_journal_id = fields.Many2one(
        "account.journal",
        string="Journal for Usage Accruals",
        check_company=True,
        domain="[('type', '=', 'general')]",
        help="The journal for the entries that accrue unbilled usage at the end of a "
        "period.",
    )
    fc_accrued_revenue_account_id = fields.Many2one(
        "account.account",
        string="Accrued Revenue Account",
        check_company=True,
        domain="[('account_type', '=', 'asset_current')]",
        help="What customers owe for usage that was not invoiced yet.",
    )

    def write(self, vals):
        """With the time zone windows end at another instant; they begin as before."""
        if "fc_billing_tz" not in vals:
            return super().write(vals)
        self.check_access("write")
        Order, Timeline = self.env["sale.order"], self.env["fusion.billing.timeline"]
        orders = Order.sudo().search(
            [*Order._fc_running_domain(), ("company_id", "in", self.ids)]
        )
        # What has ended by now has ended in the present zone.
        Timeline._catch_up(orders)
        result = super().write(vals)
        Timeline._zone_changed(self)
        return result

    @api.constrains("fc_future_tolerance_hours")
    def _check_fc_future_tolerance_hours(self):
        for company in self:
            if not 0 <= company.fc_future_tolerance_hours <= 24 * 366:
                raise ValidationError(
                    self.env._("The future tolerance is between 0 and 8784 hours.")
                )
