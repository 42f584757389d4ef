from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

# Average length of a month in the Gregorian calendar, for monthly figures of weekly
# plans: 365.2425 / 12 days.
DAYS_PER_MONTH = 30.436875

DURATION_UNITS = [("week", "Weeks"), ("month", "Months"), ("year", "Years")]


class SaleSubscriptionPlan(models.Model):
    """How often a subscription is invoiced, and what happens around it."""

    _name = "sale.subscription.plan"
    _description = "Subscription Plan"
    _inherit = ["sale.subscription.guarded"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", index=True)

    billing_period_value = fields.Integer(
        string="Invoiced Every", required=True, default=1
    )
    billing_period_unit = fields.Selection(
        [("week", "Weeks"), ("month", "Months"), ("year", "Years")],
        required=True,
        default="month",
    )
    billing_period_display = fields.Char(
        string="Billing Period", compute="_compute_billing_period_display"
    )
    billing_first_day = fields.Boolean(
        string="Align to Period Start",
        help="Periods start on the first day of the week, month or year. The first "
        "period of a subscription that starts on another day is invoiced pro rata.",
    )
    contract_length = fields.Integer(
        string="Ends After",
        default=0,
        help="The end date of a subscription is set to this long after its start when"
        " it is confirmed. 0: it runs until it is closed.",
    )
    contract_unit = fields.Selection(DURATION_UNITS, required=True, default="month")
    auto_close_limit = fields.Integer(
        string="Automatic Closing",
        default=0,
        help="Close a subscription when one of its invoices is unpaid for more than "
        "this number of days after its due date. 0: never.",
    )
    user_closable = fields.Boolean(
        string="Closable by Customer",
        default=False,
        help="Whether customers are allowed to close their own subscription.",
    )
    user_extend = fields.Boolean(
        string="Renewable by Customer",
        help="Whether customers are allowed to renew their own subscription.",
    )
    user_quantity = fields.Boolean(
        string="Quantities by Customer",
        help="Whether customers are allowed to change the quantities of their own"
        " subscription.",
    )
    user_change_plan = fields.Boolean(
        string="Plan by Customer",
        help="Whether customers are allowed to change to one of the offered plans, from"
        " the next period on.",
    )
    offered_plan_ids = fields.Many2many(
        "sale.subscription.plan",
        "sale_subscription_plan_offered_rel",
        "plan_id",
        "offered_plan_id",
        string="Offered Plans",
        check_company=True,
        domain="[('id', '!=', id)]",
        help="The plans that customers on this plan may change to. A subscription is "
        "offered only plans with a recurring price for all its recurring products.",
    )
    user_pause = fields.Boolean(
        string="Pausable by Customer",
        help="Whether customers are allowed to pause their own subscription until a day"
        " they choose, and to resume it before.",
    )
    pause_max_days = fields.Integer(
        string="Longest Pause (Days)",
        required=True,
        default=90,
        help="The number of days for which customers may pause, counted from the day "
        "of their request.",
    )
    user_add_option = fields.Boolean(
        string="Options by Customer",
        help="Whether customers are allowed to add the optional products of their "
        "order, at the price on the order, pro rata from today on.",
    )
    invoice_posting = fields.Selection(
        [("post", "Post automatically"), ("draft", "Leave in draft")],
        string="Recurring Invoices",
        required=True,
        default="post",
        help="If invoices stay in draft, the next period is invoiced only after you "
        "post the invoice.",
    )
    invoice_mail_template_id = fields.Many2one(
        "mail.template",
        string="Invoice Email",
        domain=[("model", "=", "account.move")],
        ondelete="set null",
        help="Posted recurring invoices are sent with this template. Empty: not sent.",
    )
    send_customer_mails = fields.Boolean(
        string="Emails to Customers",
        default=True,
        help="Whether customers get an email when a payment failed, a saved payment "
        "method expires, a subscription is about to be closed or was closed, and "
        "before a charge or the end.",
    )
    notice_days = fields.Integer(
        string="Advance Notice (Days)",
        default=7,
        help="How many days before a charge to the saved payment method, the end of a "
        "subscription, or its closing because of an unpaid invoice the customer "
        "gets an email. 0: no advance notice.",
    )
    subscription_ids = fields.One2many("sale.order", "plan_id")
    subscription_count = fields.Integer(compute="_compute_subscription_count")

    _billing_period_value_positive = models.Constraint(
        "CHECK (billing_period_value > 0)",
        "The billing period of a plan must be at least one week, month or year.",
    )
    _contract_length_not_negative = models.Constraint(
        "CHECK (contract_length >= 0)",
        "The duration of a subscription cannot be negative.",
    )
    _auto_close_limit_not_negative = models.Constraint(
        "CHECK (auto_close_limit >= 0)",
        "The days before automatic closing cannot be negative.",
    )
    _notice_days_not_negative = models.Constraint(
        "CHECK (notice_days >= 0)",
        "The days of advance notice cannot be negative.",
    )

    _pause_max_days_positive = models.Constraint(
        "CHECK (pause_max_days > 0)",
        "Customers cannot pause for less than a day.",
    )

    @property
    def billing_period(self):
        """One period of the plan.

        :rtype: relativedelta, empty when the plan is empty
        """
        if not self:
            return relativedelta()
        self.ensure_one()
        return relativedelta(
            **{f"{self.billing_period_unit}s": self.billing_period_value}
        )

    @api.depends("billing_period_value", "billing_period_unit")
    @api.depends_context("lang")
    def _compute_billing_period_display(self):
        for plan in self:
            plan.billing_period_display = plan._get_billing_period_display()

    def _get_billing_period_display(self):
        count = self.billing_period_value
        one = count == 1
        if self.billing_period_unit == "week":
            return self.env._("1 Week") if one else self.env._("%s Weeks", count)
        if self.billing_period_unit == "year":
            return self.env._("1 Year") if one else self.env._("%s Years", count)
        return self.env._("1 Month") if one else self.env._("%s Months", count)

    def _get_every_text(self):
        """Return how often a period is, to stand inside a sentence.

        :rtype: str
        """
        self.ensure_one()
        if self.billing_period_value != 1:
            return self.env._("every %s", self.billing_period_display)
        return {
            "week": self.env._("every week"),
            "month": self.env._("every month"),
            "year": self.env._("every year"),
        }[self.billing_period_unit]

    @api.depends("subscription_ids.subscription_state")
    def _compute_subscription_count(self):
        counts = dict(
            self.env["sale.order"]._read_group(
                [
                    ("plan_id", "in", self.ids),
                    ("subscription_state", "=", "3_progress"),
                ],
                ["plan_id"],
                ["__count"],
            )
        )
        for plan in self:
            plan.subscription_count = counts.get(plan, 0)

    # === DATES ===

    def _get_duration(self):
        """Return how long a subscription on this plan runs.

        :rtype: relativedelta, empty for one that runs until it is closed
        """
        if not self.contract_length:
            return relativedelta()
        return relativedelta(**{f"{self.contract_unit}s": self.contract_length})

    def _get_aligned_from(self, date):
        """Return the first day on or after ``date`` on which an aligned period begins.

        Weeks begin on Monday (ISO 8601), years on 1 January, and months on the first.
        Periods of several months are those of the calendar where a year holds a whole
        number of them: quarters begin in January, April, July and October.

        :param datetime.date date: lower bound, inclusive
        :rtype: datetime.date
        """
        if self.billing_period_unit == "week":
            return date + timedelta(days=-date.weekday() % 7)
        if self.billing_period_unit == "year":
            months = 12
        else:
            months = self.billing_period_value
            months = 1 if 12 % months else months
        period_start = date.replace(month=date.month - (date.month - 1) % months, day=1)
        if period_start < date:
            period_start += relativedelta(months=months)
        return period_start

    def _get_boundary(self, anchor, index):
        """Return the start of period ``index``, counted from ``anchor``.

        Always computed from the anchor: stepping from the previous boundary would stay
        on the 28th for good after the first February.

        :param datetime.date anchor: start of period 0
        :param int index: may be negative
        :rtype: datetime.date
        """
        return anchor + self.billing_period * index

    def _get_boundary_index(self, anchor, date):
        """Return n such that ``date`` is the start of period n, or None.

        :param datetime.date anchor: start of period 0
        :param datetime.date date: the date looked for
        :rtype: int | None
        """
        if self.billing_period_unit == "week":
            index, rest = divmod((date - anchor).days, 7 * self.billing_period_value)
            return None if rest else index
        months = self.billing_period_value
        if self.billing_period_unit == "year":
            months *= 12
        distance = (date.year - anchor.year) * 12 + date.month - anchor.month
        index, rest = divmod(distance, months)
        if rest or self._get_boundary(anchor, index) != date:
            return None
        return index

    def _get_first_boundary_from(self, anchor, date):
        """Return the index of the first boundary on or after ``date``.

        :param datetime.date anchor: start of period 0
        :param datetime.date date: lower bound, inclusive
        :rtype: int
        """
        # At most this many days lie between two boundaries, so the estimate is never
        # past the result and the loop makes a few steps.
        longest = (self._get_boundary(anchor, 1) - anchor + timedelta(days=3)).days
        index = (date - anchor).days // longest
        while self._get_boundary(anchor, index) < date:
            index += 1
        while self._get_boundary(anchor, index - 1) >= date:
            index -= 1
        return index

    def _get_monthly_factor(self):
        """Return what an amount per period is multiplied with to be per month.

        :rtype: float
        """
        self.ensure_one()
        if self.billing_period_unit == "week":
            return DAYS_PER_MONTH / (7 * self.billing_period_value)
        if self.billing_period_unit == "year":
            return 1 / (12 * self.billing_period_value)
        return 1 / self.billing_period_value

    def action_open_subscriptions(self):
        """Open the subscriptions on this plan.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        return {
            **self.env["ir.actions.actions"]._for_xml_id(
                "sale_subscription.sale_subscription_action"
            ),
            "domain": [("plan_id", "=", self.id)],
            "context": {"default_plan_id": self.id},
        }
