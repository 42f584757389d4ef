from dateutil.relativedelta import relativedelta

from odoo import fields, models

from .sale_subscription_plan import DURATION_UNITS


class SaleOrderTemplate(models.Model):
    _inherit = "sale.order.template"

    plan_id = fields.Many2one(
        "sale.subscription.plan",
        string="Recurring Plan",
        check_company=True,
        help="Quotations created from this template are subscriptions on this plan.",
    )
    is_unlimited = fields.Boolean(
        string="Until Closed",
        default=True,
        help="Subscriptions created from this template have no end date.",
    )
    duration_value = fields.Integer(string="Ends After", default=1)
    duration_unit = fields.Selection(DURATION_UNITS, required=True, default="month")

    _duration_value_positive = models.Constraint(
        "CHECK (is_unlimited OR duration_value > 0)",
        "A duration must be at least one week, month or year.",
    )

    def _get_duration(self):
        """Return how long a subscription made from this template runs.

        :rtype: relativedelta, empty for one that runs until it is closed
        """
        if not self or self.is_unlimited:
            return relativedelta()
        return relativedelta(**{f"{self.duration_unit}s": self.duration_value})
