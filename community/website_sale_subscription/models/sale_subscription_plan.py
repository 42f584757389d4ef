from datetime import date

from odoo import api, models
from odoo.fields import Domain


class SaleSubscriptionPlan(models.Model):
    """Plans as the web shop offers them."""

    _inherit = "sale.subscription.plan"

    def _get_shop_plans(self, company):
        """Return the plans that the shop of a company may sell, in their order.

        The customer pays the price of a whole period before there is an invoice. So a
        plan whose first period may be cut short is not among them: one that is aligned
        to the calendar, or that ends within its first period.

        :param company: res.company
        :rtype: sale.subscription.plan recordset, as superuser
        """
        plans = self.sudo()
        domain = Domain("company_id", "in", (False, company.id))
        return plans.search(domain & Domain("billing_first_day", "=", False)).filtered(
            lambda plan: plan._is_first_period_whole()
        )

    @api.model
    def _parse_shop_plan_id(self, value):
        """Read which plan a request asks for.

        :param value: whatever was sent
        :return: id of a plan that may not exist; 0: without plan; None: not said
        :rtype: int | None
        """
        if value is None or value == "":
            return None
        if value is False:
            return 0
        text = value if isinstance(value, str) else repr(value)
        return int(text) if text.isascii() and text.isdigit() else -1

    def _is_first_period_whole(self):
        """Tell whether the first period of a new subscription is always a whole one.

        :rtype: bool
        """
        self.ensure_one()
        duration = self._get_duration()
        # Which of a month and four weeks is longer depends on the month.
        starts = [date(2023, month, 1) for month in range(1, 13)]
        return not duration or all(
            start + duration >= start + self.billing_period for start in starts
        )

    def _get_price_period(self):
        """Return what a price is followed by: "month", or "3 months".

        :rtype: str
        """
        self.ensure_one()
        count = self.billing_period_value
        one = count == 1
        if self.billing_period_unit == "week":
            return self.env._("week") if one else self.env._("%s weeks", count)
        if self.billing_period_unit == "year":
            return self.env._("year") if one else self.env._("%s years", count)
        return self.env._("month") if one else self.env._("%s months", count)
