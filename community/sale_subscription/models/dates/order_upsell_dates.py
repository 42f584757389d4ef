from datetime import timedelta

from odoo import models


class SaleSubscriptionOrderUpsellDates(models.AbstractModel):
    """Which days of a subscription an upsell charges.

    It says so in its own dates: charged are [start_date, end_date) of the whole period
    [last_invoice_date, next_invoice_date) of the plan.
    """

    _name = "sale.subscription.order.upsell.dates"
    _description = "Dates of Upsells"

    def _prepare_upsell_dates(self):
        """Return what the amounts of an upsell of this subscription depend on.

        :rtype: dict
        """
        self.ensure_one()
        last_day = self.next_invoice_date - timedelta(days=1)
        end = self.end_date
        return {
            "plan_id": self.plan_id.id,
            # Of a whole period: the current one may have begun inside it.
            "last_invoice_date": self._get_whole_period(last_day)[0],
            "next_invoice_date": self._get_whole_period(last_day)[1],
            # Where the current period ends before.
            "end_date": min(self.next_invoice_date, end or self.next_invoice_date),
            # The amounts hold for this period only.
            "validity_date": last_day,
        }

    def _get_upsell_period(self):
        """Return the days that this upsell charges: a whole period at most.

        The next invoice of the subscription may have been put off: the days in between
        are charged to nobody, and not to an upsell either.

        :return: (first day, first day after them, days of a whole period); Nones and 0
            when they are not known
        :rtype: tuple[datetime.date | None, datetime.date | None, int]
        """
        self.ensure_one()
        start, end, whole = self.start_date, self.end_date, self.last_invoice_date
        if not start or not end or not whole or not self.next_invoice_date:
            return None, None, 0
        return max(start, whole), end, (self.next_invoice_date - whole).days

    def _get_upsell_days(self):
        """Return which share of the plan's price this upsell costs.

        :return: (days charged, days of the whole period)
        :rtype: tuple[int, int]
        """
        start, end, whole_days = self._get_upsell_period()
        if not whole_days or start >= end:
            return 1, 1
        return (end - start).days, whole_days

    def _is_upsell_outdated(self):
        """Tell whether its amounts are for other days than the parent has left.

        :rtype: bool
        """
        self.ensure_one()
        expected = self.subscription_id._prepare_upsell_dates()
        del expected["validity_date"]
        values = self._convert_to_write({name: self[name] for name in expected})
        return any(values[name] != expected[name] for name in expected)
