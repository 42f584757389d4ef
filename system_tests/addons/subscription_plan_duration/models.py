from dateutil.relativedelta import relativedelta

from odoo import fields, models


class SaleSubscriptionPlan(models.Model):
    _inherit = "sale.subscription.plan"

    is_unlimited = fields.Boolean(default=True)
    duration_value = fields.Integer(default=1, required=True)
    duration_unit = fields.Selection(
        [("month", "Months"), ("year", "Years")], default="month", required=True
    )

    @property
    def duration(self):
        return relativedelta(**{f"{self.duration_unit}s": self.duration_value})


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _set_deferred_end_date_from_template(self):
        self.ensure_one()
        template = self.sale_order_template_id
        if (not template or template.is_unlimited) and not self.plan_id.is_unlimited:
            end = self.start_date + self.plan_id.duration - relativedelta(days=1)
            self.write({"end_date": end})
        else:
            super()._set_deferred_end_date_from_template()
