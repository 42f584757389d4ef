"""MRR and churn per month. The query behind it is in the file beside this one."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from .sale_subscription_report_query import report_query

# What stands at one point in time, and the SQL aggregate that finds the month to take
# it from where several months are shown as one: the first or the last of them.
STOCKS = {
    "opening_mrr": SQL("MIN"),
    "opening_count": SQL("MIN"),
    "closing_mrr": SQL("MAX"),
    "closing_count": SQL("MAX"),
}

# What ended, its sign there, and what it is divided by: the openings of all months
# added up, and for the rates of a period the one with which it began.
RATES = {
    "mrr_churn_rate": ("churn_mrr", SQL("-"), "opening_mrr"),
    "logo_churn_rate": ("churn_count", SQL("+"), "opening_count"),
}
PERIOD_RATES = {f"period_{name}": spec for name, spec in RATES.items()}

FIRST_MONTH = " If several months are combined: of the first one."
LAST_MONTH = " If several months are combined: of the last one."


class SaleSubscriptionReport(models.Model):
    """One row per month, company, plan, salesperson and team.

    From the first event of such a combination to the present month, months without any
    event included: so the last month of every group is the same, and what was lost is
    not shown as still there.
    """

    _name = "sale.subscription.report"
    _description = "MRR & Churn"
    _inherit = ["sale.subscription.dimensions", "sale.subscription.guarded"]
    _auto = False
    _order = "month desc, plan_id, id"
    _rec_name = "month"
    _depends = {
        "sale.order.log": [
            "order_id",
            "event_date",
            "event_type",
            "amount_company_signed",
            "active_change",
            "plan_id",
            "company_id",
        ],
        "sale.order": ["user_id", "team_id"],
    }

    month = fields.Date(readonly=True, help="First day of the month.")
    month_name = fields.Char(string="Month (Name)", compute="_compute_month_name")
    user_id = fields.Many2one(help="The current salesperson of the subscriptions.")
    team_id = fields.Many2one(help="The current sales team of the subscriptions.")

    # === MRR ===

    opening_mrr = fields.Monetary(
        string="Opening MRR",
        readonly=True,
        help="Monthly recurring revenue at the start of the month." + FIRST_MONTH,
    )
    new_mrr = fields.Monetary(
        string="New",
        readonly=True,
        help="MRR of subscriptions that were confirmed.",
    )
    expansion_mrr = fields.Monetary(
        string="Expansion",
        readonly=True,
        help="An upsell, more quantity, a higher price, another plan: also on renewal.",
    )
    contraction_mrr = fields.Monetary(
        string="Contraction",
        readonly=True,
        help="Less quantity, a lower price, another plan: also on renewal.",
    )
    churn_mrr = fields.Monetary(
        string="Churn",
        readonly=True,
        help="MRR of subscriptions that were closed or expired. A paused subscription "
        "counts with its MRR before the pause.",
    )
    reopen_mrr = fields.Monetary(
        string="Reopened",
        readonly=True,
        help="MRR of closed subscriptions that were reopened. It does not undo their "
        "churn.",
    )
    pause_mrr = fields.Monetary(
        string="Paused/Resumed",
        readonly=True,
        help="MRR that was resumed, less MRR that was paused. A pause is not churn. "
        "When a paused subscription is closed, its pause is reversed here, because "
        "it then counts as churn.",
    )
    transfer_mrr = fields.Monetary(
        string="Transfers",
        readonly=True,
        help="MRR moved from a renewed subscription to its renewal, and from one plan "
        "to another. It adds up to 0.",
    )
    closing_mrr = fields.Monetary(
        string="Closing MRR",
        readonly=True,
        help="Opening MRR and all changes of the month; up to now for the present"
        " one." + LAST_MONTH,
    )
    mrr_churn_rate = fields.Float(
        string="MRR Churn Rate (Monthly)",
        readonly=True,
        aggregator="avg",
        help="Churn / opening MRR of each month. Over several months: what a month"
        " loses on average, weighted by its opening MRR. 0 when nothing was open.",
    )
    period_mrr_churn_rate = fields.Float(
        string="MRR Churn Rate (Whole Period)",
        readonly=True,
        aggregator="avg",
        help="Churn / opening MRR of all months combined: grouped by year, the rate"
        " of the year. 0 when nothing was open, as in the first month of all.",
    )

    # === SUBSCRIPTIONS ===

    opening_count = fields.Integer(
        string="Opening Subscriptions",
        readonly=True,
        help="Subscriptions in progress at the start of the month." + FIRST_MONTH,
    )
    new_count = fields.Integer(string="New Subscriptions", readonly=True)
    churn_count = fields.Integer(
        string="Churned Subscriptions",
        readonly=True,
        help="Subscriptions that were closed or expired, including paused ones.",
    )
    reopen_count = fields.Integer(string="Reopened Subscriptions", readonly=True)
    pause_count = fields.Integer(
        string="Paused/Resumed Subscriptions",
        readonly=True,
        help="Resumed less paused.",
    )
    transfer_count = fields.Integer(
        string="Transferred Subscriptions",
        readonly=True,
        help="Renewals less the subscriptions they renew, and changes of plan.",
    )
    closing_count = fields.Integer(
        string="Closing Subscriptions",
        readonly=True,
        help="Opening + new + reopened + paused/resumed + transferred - churned."
        + LAST_MONTH,
    )
    logo_churn_rate = fields.Float(
        string="Customer Churn Rate (Monthly)",
        readonly=True,
        aggregator="avg",
        help="Churned / opening subscriptions of each month. Over several months: what"
        " a month loses on average. 0 when nothing was open.",
    )
    period_logo_churn_rate = fields.Float(
        string="Customer Churn Rate (Whole Period)",
        readonly=True,
        aggregator="avg",
        help="Churned / opening subscriptions of all months combined. 0 when"
        " nothing was open.",
    )

    @api.depends("month")
    @api.depends_context("lang")
    def _compute_month_name(self):
        for row in self:
            row.month_name = format_date(self.env, row.month, date_format="MMMM y")

    @property
    def _table_query(self):
        """Stand in for a table: the query depends on the day and on the companies."""
        return report_query(self.env)

    # === AGGREGATES ===

    def _read_group_select(self, aggregate_spec, query):
        """Take stocks from the right month, and rates from sums.

        Openings of several months added up mean nothing, and neither does the average
        of their rates.
        """
        name, _colon, function = aggregate_spec.partition(":")
        if function in ("sum", "avg", "sum_currency"):
            if name in STOCKS:
                return self._get_stock_sql(name, query)
            if name in RATES:
                ended, sign, opened = RATES[name]
                opened = SQL("SUM(%s)", self._field_to_sql(self._table, opened, query))
                return self._get_rate_sql(ended, sign, opened, query)
            if name in PERIOD_RATES:
                ended, sign, opened = PERIOD_RATES[name]
                opened = self._get_stock_sql(opened, query)
                return self._get_rate_sql(ended, sign, opened, query)
        return super()._read_group_select(aggregate_spec, query)

    def _get_stock_sql(self, name, query):
        return SQL(
            """(SELECT SUM(stock.amount)
                FROM UNNEST(ARRAY_AGG(%(amount)s), ARRAY_AGG(%(month)s))
                     AS stock(amount, month)
                WHERE stock.month = %(first_or_last)s(%(month)s))""",
            amount=self._field_to_sql(self._table, name, query),
            month=self._field_to_sql(self._table, "month", query),
            first_or_last=STOCKS[name],
        )

    def _get_rate_sql(self, ended, sign, opened, query):
        return SQL(
            "COALESCE(SUM(%(sign)s%(ended)s)::float / NULLIF(%(opened)s, 0), 0)",
            sign=sign,
            ended=self._field_to_sql(self._table, ended, query),
            opened=opened,
        )

    def action_open_movements(self):
        """Open the MRR log of the month, for the plan and salesperson of the row.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        month_end = self.month + relativedelta(months=1)
        return {
            **self.env["ir.actions.actions"]._for_xml_id(
                "sale_subscription.sale_order_log_action"
            ),
            "views": [(False, "list")],
            "context": {},
            "domain": [
                ("event_date", ">=", self.month),
                ("event_date", "<", month_end),
                ("company_id", "=", self.company_id.id),
                ("plan_id", "=", self.plan_id.id),
                ("order_id.user_id", "=", self.user_id.id),
                ("order_id.team_id", "=", self.team_id.id),
            ],
        }
