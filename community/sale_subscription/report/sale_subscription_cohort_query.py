"""The query behind the retention: from the rows of the MRR log to months of a life.

PostgreSQL compiles a query that it takes for a big one, which costs more than running
this one does. So it is written for modest estimates: only renewals look for their root,
one row each, and ages are a short list instead of a series for every row.
"""

from odoo import fields
from odoo.tools import SQL

from .sale_subscription_dimensions import rates_sql

# Rows of a subscription: as it began, and after 1 to 12 months.
LAST_AGE = 12
AGES = LAST_AGE + 1


def cohort_query(env):
    """Return the query of `sale.subscription.cohort`.

    :param env: environment with the companies worked in; amounts are converted to
        the currency of the first of them
    :rtype: odoo.tools.SQL
    """
    today = fields.Date.today()
    return SQL(
        """
        WITH RECURSIVE
             climb(order_id, root_id, steps) AS (%(climbs)s),
             renewal AS (%(renewals)s),
             event AS (%(events)s),
             present AS (%(present)s),
             standing AS (%(standings)s),
             start AS (%(starts)s),
             seen AS (%(seen)s)
        %(rows)s
        """,
        climbs=_climbs_sql(),
        renewals=_renewals_sql(),
        events=_events_sql(env.companies),
        present=_present_sql(),
        standings=_standings_sql(),
        starts=_starts_sql(),
        seen=_seen_sql(today),
        rows=_rows_sql(env, today),
    )


def _climbs_sql():
    """Select of each renewal what it renews, what that renewed, and so on."""
    return SQL(
        """
        SELECT id, subscription_id, 1
        FROM sale_order
        WHERE subscription_id IS NOT NULL AND subscription_state != '7_upsell'
        UNION ALL
        SELECT climb.order_id, renewed.subscription_id, climb.steps + 1
        FROM climb
        JOIN sale_order renewed ON renewed.id = climb.root_id
        WHERE renewed.subscription_id IS NOT NULL
        """
    )


def _renewals_sql():
    """Select the root of each renewal: the order with which it all began."""
    return SQL(
        """
        SELECT DISTINCT ON (order_id) order_id, root_id
        FROM climb
        ORDER BY order_id, steps DESC
        """
    )


def _events_sql(companies):
    """Select the rows of the log with what stands after each of them.

    A stop is a pause, or an end: a churn, or the resumption of something of which
    nothing recurs any more. What comes between a stop and the next one is numbered
    alike.
    """
    return SQL(
        """
        SELECT log.*,
               CASE WHEN event_type = 'pause' AND active_change < 0
                    THEN -amount_company_signed END AS paused_mrr,
               SUM(active_change) OVER past > 0 AS is_active,
               SUM(amount_company_signed) OVER past AS active_mrr,
               COUNT(*) FILTER (
                   WHERE event_type = 'churn'
                      OR event_type = 'pause' AND active_change < 0
                      OR event_type = 'resume' AND active_change = 0
               ) OVER past AS stop_number,
               LEAD(month_number) OVER past AS next_month_number
        FROM (
            SELECT COALESCE(renewal.root_id, log.order_id) AS root_id,
                   log.id, log.order_id, log.event_date, log.event_type,
                   log.amount_company_signed, log.active_change,
                   log.company_id, log.plan_id,
                   %(month_number)s AS month_number
            FROM sale_order_log log
            LEFT JOIN renewal ON renewal.order_id = log.order_id
            WHERE log.company_id IN %(companies)s
        ) AS log
        WINDOW past AS (PARTITION BY root_id ORDER BY event_date, id)
        """,
        companies=tuple(companies.ids),
        month_number=_month_number_sql(SQL("log.event_date")),
    )


def _month_number_sql(day):
    """Number months one after the other: numbers are quick to compare."""
    return SQL(
        "(12 * EXTRACT(YEAR FROM %(day)s) + EXTRACT(MONTH FROM %(day)s))::integer",
        day=day,
    )


def _present_sql():
    """Select as which order each of them runs today, or ran last."""
    return SQL(
        """
        SELECT DISTINCT ON (root_id)
               root_id, order_id, sale_order.user_id, sale_order.team_id
        FROM (SELECT DISTINCT root_id, order_id FROM event) AS life
        JOIN sale_order ON sale_order.id = order_id
        ORDER BY root_id,
                 sale_order.subscription_state IN ('3_progress', '4_paused') DESC,
                 order_id DESC
        """
    )


def _standings_sql():
    """Select whether it runs after each event, and with which MRR.

    Nothing of it in progress: it is paused if the last stop was a pause. That stop
    may be a while ago. The plan can be changed during a pause, and a renewal be
    cancelled, which leaves the old order paused.
    """
    return SQL(
        """
        SELECT root_id, month_number, next_month_number,
               is_active OR stop_mrr IS NOT NULL AS runs,
               CASE WHEN is_active THEN active_mrr ELSE COALESCE(stop_mrr, 0) END AS mrr
        FROM (
            SELECT *,
                   FIRST_VALUE(paused_mrr) OVER (
                       PARTITION BY root_id, stop_number ORDER BY event_date, id
                   ) AS stop_mrr
            FROM event
        ) AS event
        """
    )


def _starts_sql():
    """Select the event with which each began to run."""
    return SQL(
        """
        SELECT DISTINCT ON (root_id)
               root_id, company_id, plan_id, active_mrr AS starting_mrr,
               DATE_TRUNC('month', event_date) AS cohort_month, month_number
        FROM event
        WHERE is_active
        ORDER BY root_id, event_date, id
        """
    )


def _seen_sql(today):
    """Select what stands at the end of each month, and how it began as age 0.

    An event stands at the end of its month and of those up to the next event.
    """
    return SQL(
        """
        SELECT start.*, 0 AS age, TRUE AS runs, starting_mrr AS mrr
        FROM start
        UNION ALL
        SELECT start.*, age, standing.runs, standing.mrr
        FROM start
        JOIN standing ON standing.root_id = start.root_id
        JOIN GENERATE_SERIES(1, %(last_age)s) AS age
             ON age >= standing.month_number - start.month_number
            AND age < LEAST(standing.next_month_number, %(following)s)
                      - start.month_number
        """,
        last_age=LAST_AGE,
        following=12 * today.year + today.month + 1,
    )


def _rows_sql(env, today):
    """Bring it together, in the currency of one company."""
    return SQL(
        """
        SELECT seen.root_id * %(ages)s + age AS id,
               cohort_month::date AS cohort_month,
               (cohort_month + age * INTERVAL '1 month')::date AS month, age,
               present.order_id, seen.company_id, %(currency)s AS currency_id,
               plan_id, present.user_id, present.team_id,
               1 AS starting_count,
               runs::integer AS running_count,
               starting_mrr * rate AS starting_mrr,
               LEAST(starting_mrr, mrr) * rate AS kept_mrr,
               mrr * rate AS running_mrr,
               runs::integer::float AS retention_rate,
               COALESCE(LEAST(starting_mrr, mrr)::float / NULLIF(starting_mrr, 0), 0)
                   AS mrr_retention_rate,
               COALESCE(mrr::float / NULLIF(starting_mrr, 0), 0)
                   AS net_mrr_retention_rate
        FROM seen
        JOIN present ON present.root_id = seen.root_id
        JOIN (VALUES %(rates)s) AS conversion(company_id, rate)
             ON conversion.company_id = seen.company_id
        """,
        ages=AGES,
        currency=env.company.currency_id.id,
        rates=rates_sql(env, today),
    )
