from datetime import timedelta

from odoo import api, fields, models

from ..engine.billing.periods import parse_date
from ..engine.billing.start import first_billed_day, periods_due, periods_of
from ..engine.errors import BillingError
from .subscription.timeline import RUNNING

MAX_START_DISTANCE = timedelta(days=3660)  # about ten years, both ways


class FusionBillingService(models.Model):
    """Taking over a contract that runs already: from where on it is billed here."""

    _inherit = "fusion.billing.service"

    @api.model
    def _api_days(self, payload):
        """The days that a new subscription is given: those that are there, as dates.

        :raises BillingError: ``invalid_start_date``, ``invalid_billed_until``
        """
        days = {
            name: parse_date(payload[name], name, f"invalid_{name}")
            for name in ("start_date", "billed_until")
            if payload.get(name) is not None
        }
        # A mistyped year must not bring a thousand invoices.
        start = days.get("start_date")
        if start and abs(start - fields.Date.today()) > MAX_START_DISTANCE:
            raise BillingError("invalid_start_date", "invalid start_date", "start_date")
        return days

    @api.model
    def _api_order_dates(self, plan, start_date=None, billed_until=None):
        """The dates of a new order, as values for `create`.

        Only of one that is new: a request that is repeated when a period is over, too,
        is answered as it was the first time.

        :raises BillingError: ``missing_field``, ``invalid_billed_until``
        """
        today = fields.Date.today()
        periods = _periods(plan, start_date or today)
        first_day = first_billed_day(periods, billed_until, today)
        values = {"start_date": start_date} if start_date else {}
        if billed_until:
            values |= {
                "start_date": periods.start,
                "next_invoice_date": first_day,
                "fc_billed_until": billed_until,
            }
        return values

    @api.model
    def _invoices_due(self, order):
        """How many invoices of the periods that have begun are still to be made."""
        first_day = order.next_invoice_date
        if order.subscription_state != RUNNING or not first_day:
            return 0
        periods = _periods(order.plan_id, order.start_date)
        if not periods.begins(first_day):
            periods = _periods(order.plan_id, first_day)
        today = fields.Date.today()
        return periods_due(periods, first_day, today, order.end_date or None)


def _periods(plan, start):
    return periods_of(
        plan.billing_period_unit,
        plan.billing_period_value,
        plan.billing_first_day,
        start,
    )
