"""Retention by month of start. The query behind it is in the file beside this one."""

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from .sale_subscription_cohort_query import AGES, cohort_query

# What is true of a subscription at one age: added up over its ages it means nothing.
STOCKS = ("starting_count", "starting_mrr", "running_count", "running_mrr", "kept_mrr")

# What a rate divides by what.
RATES = {
    "retention_rate": ("running_count", "starting_count"),
    "mrr_retention_rate": ("kept_mrr", "starting_mrr"),
    "net_mrr_retention_rate": ("running_mrr", "starting_mrr"),
}

ONCE = (
    " If several ages are combined, each subscription counts once, at its highest age."
)


class SaleSubscriptionCohort(models.Model):
    """One row per subscription and age in months: does it run, and with which MRR.

    A subscription and its renewals are one, from the first event of the MRR log on.
    Age 0 is how it began. Age n is the end of the n-th calendar month after the month
    of its start; of the present month, what is true now.
    """

    _name = "sale.subscription.cohort"
    _description = "Subscription Retention"
    _inherit = ["sale.subscription.dimensions", "sale.subscription.guarded"]
    _auto = False
    _order = "cohort_month desc, id"
    _rec_name = "order_id"
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
        "sale.order": ["user_id", "team_id", "subscription_id", "subscription_state"],
    }

    cohort_month = fields.Date(
        string="Started In",
        readonly=True,
        help="First day of the month in which the subscription started.",
    )
    cohort_month_name = fields.Char(
        string="Started In (Name)", compute="_compute_cohort_month_name"
    )
    age = fields.Integer(
        string="Months After Start",
        readonly=True,
        aggregator=None,
        help="0: at the start. 1: at the end of the month after the start, whatever "
        "the day. For subscriptions started in January: those still running at the end "
        "of February.",
    )
    month = fields.Date(
        string="Status at End Of",
        readonly=True,
        help="First day of the month at whose end the figures are taken. For the "
        "current month: the figures now.",
    )
    order_id = fields.Many2one(
        "sale.order",
        string="Subscription",
        readonly=True,
        help="The order of the subscription today: the latest renewal.",
    )
    plan_id = fields.Many2one(help="The plan at the start.")
    user_id = fields.Many2one(help="The current salesperson of the subscription.")
    team_id = fields.Many2one(help="The current sales team of the subscription.")

    starting_count = fields.Integer(
        string="Subscriptions Started",
        readonly=True,
        help="The number of subscriptions that started." + ONCE,
    )
    running_count = fields.Integer(
        string="Still Running",
        readonly=True,
        help="How many of them run at that age, paused ones included. One that was"
        " closed counts again from the month on in which it is reopened." + ONCE,
    )
    starting_mrr = fields.Monetary(
        string="Starting MRR",
        readonly=True,
        help="Their monthly recurring revenue at the start." + ONCE,
    )
    kept_mrr = fields.Monetary(
        string="Retained MRR",
        readonly=True,
        help="What still runs of the MRR with which they began. What was added since"
        " does not make up for what another one lost." + ONCE,
    )
    running_mrr = fields.Monetary(
        string="Current MRR",
        readonly=True,
        help="MRR of those that run, with all that was added and taken away. A paused"
        " one counts with the MRR it was paused with." + ONCE,
    )
    retention_rate = fields.Float(
        string="Retention",
        readonly=True,
        aggregator="avg",
        help="Still running / started.",
    )
    mrr_retention_rate = fields.Float(
        string="MRR Retention",
        readonly=True,
        aggregator="avg",
        help="Retained MRR / starting MRR: never more than 100%.",
    )
    net_mrr_retention_rate = fields.Float(
        string="Net MRR Retention",
        readonly=True,
        aggregator="avg",
        help="Current MRR / starting MRR: more than 100% when more was added than "
        "lost.",
    )

    @api.depends("cohort_month")
    @api.depends_context("lang")
    def _compute_cohort_month_name(self):
        for row in self:
            row.cohort_month_name = format_date(
                self.env, row.cohort_month, date_format="MMMM y"
            )

    @property
    def _table_query(self):
        """Stand in for a table: the query depends on the day and on the companies."""
        return cohort_query(self.env)

    # === AGGREGATES ===

    def _read_group_select(self, aggregate_spec, query):
        """Count every subscription of a group once, and take rates from sums."""
        name, _colon, function = aggregate_spec.partition(":")
        if function in ("sum", "avg", "sum_currency"):
            if name in STOCKS:
                return self._get_stock_sql(name, query)
            if name in RATES:
                part, whole = RATES[name]
                return SQL(
                    "COALESCE((%s)::float / NULLIF(%s, 0), 0)",
                    self._get_stock_sql(part, query),
                    self._get_stock_sql(whole, query),
                )
        return super()._read_group_select(aggregate_spec, query)

    def _get_stock_sql(self, name, query):
        """Add up over subscriptions, of each the row of its highest age in the group.

        The ids of a subscription follow each other as its ages do (see the query).
        """
        return SQL(
            """CASE WHEN MIN(%(age)s) = MAX(%(age)s) THEN SUM(%(amount)s)
               ELSE (
                   SELECT SUM(amount)
                   FROM (
                       SELECT DISTINCT ON (id / %(ages)s) amount
                       FROM UNNEST(ARRAY_AGG(%(id)s), ARRAY_AGG(%(amount)s))
                            AS seen(id, amount)
                       ORDER BY id / %(ages)s, id DESC
                   ) AS latest
               ) END""",
            age=self._field_to_sql(self._table, "age", query),
            id=self._field_to_sql(self._table, "id", query),
            amount=self._field_to_sql(self._table, name, query),
            ages=SQL(str(AGES)),
        )

    def action_open_order(self):
        """Open the subscription of a row.

        :return: window action; False for those who read the report but not the orders
        :rtype: dict | bool
        """
        self.ensure_one()
        self.check_access("read")
        return self.order_id._open_order_for_seller()
