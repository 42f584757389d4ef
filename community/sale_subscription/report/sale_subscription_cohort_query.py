"""The query behind the retention: from the rows of the MRR log to months of a life."""

from odoo import fields
from odoo.tools import SQL

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
             ran AS (%(orders)s),
             life(order_id, root_id) AS (%(lives)s),
             present AS (%(present)s),
             event AS (%(events)s),
             standing AS (%(standings)s),
             start AS (%(starts)s),
             seen AS (%(seen)s)
        %(rows)s
        """,
        orders=_orders_sql(env.companies),
        lives=_lives_sql(),
        present=_present_sql(),
        events=_events_sql(),
        standings=_standings_sql(),
        starts=_starts_sql(),
        seen=_seen_sql(today),
        rows=_rows_sql(env, today),
    )


def _orders_sql(companies):
    """Select the orders that ever ran, of the companies worked in."""
    return SQL(
        """
        SELECT id, subscription_id, subscription_state, user_id, team_id
        FROM sale_order
        WHERE id IN (
            SELECT order_id FROM sale_order_log WHERE company_id IN %s
        )
        """,
        tuple(companies.ids),
    )


def _lives_sql():
    """Select for each order the one with which it began: what it renews, at last.

    An upsell is not among them; it never runs by itself.
    """
    return SQL(
        """
        SELECT ran.id, ran.id
        FROM ran
        LEFT JOIN ran AS renewed ON renewed.id = ran.subscription_id
        WHERE renewed.id IS NULL
        UNION ALL
        SELECT ran.id, life.root_id
        FROM ran
        JOIN life ON life.order_id = ran.subscription_id
        """
    )


def _present_sql():
    """Select as which order each of them runs today, or ran last."""
    return SQL(
        """
        SELECT DISTINCT ON (life.root_id)
               life.root_id, ran.id AS order_id, ran.user_id, ran.team_id
        FROM life
        JOIN ran ON ran.id = life.order_id
        ORDER BY life.root_id,
                 ran.subscription_state IN ('3_progress', '4_paused') DESC,
                 ran.id DESC
        """
    )


def _events_sql():
    """Select the rows of the log with what stands after each of them.

    A stop is a pause, or an end: a churn, or the resumption of something of which
    nothing recurs any more. What comes between a stop and the next one is numbered
    alike.
    """
    return SQL(
        """
        SELECT life.root_id, log.id, log.event_date, log.company_id, log.plan_id,
               CASE WHEN log.event_type = 'pause' AND log.active_change < 0
                    THEN -log.amount_company_signed END AS paused_mrr,
               SUM(log.active_change) OVER past > 0 AS is_active,
               SUM(log.amount_company_signed) OVER past AS active_mrr,
               COUNT(*) FILTER (
                   WHERE log.event_type = 'churn'
                      OR log.event_type = 'pause' AND log.active_change < 0
                      OR log.event_type = 'resume' AND log.active_change = 0
               ) OVER past AS stop_number,
               LEAD(log.event_date) OVER past AS next_date
        FROM sale_order_log log
        JOIN life ON life.order_id = log.order_id
        WINDOW past AS (
            PARTITION BY life.root_id ORDER BY log.event_date, log.id
        )
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
        SELECT root_id, event_date, next_date,
               is_active OR stop_mrr IS NOT NULL AS runs,
               CASE WHEN is_active THEN active_mrr
                    ELSE COALESCE(stop_mrr, 0) END AS mrr
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
               root_id, company_id, plan_id, active_mrr AS mrr,
               DATE_TRUNC('month', event_date) AS month
        FROM event
        WHERE is_active
        ORDER BY root_id, event_date, id
        """
    )


def _seen_sql(today):
    """Select what stands at the end of each month, and how it began as age 0."""
    return SQL(
        """
        SELECT root_id, month, TRUE AS runs, mrr FROM start
        UNION ALL
        SELECT standing.root_id, ending.month, standing.runs, standing.mrr
        FROM standing
        JOIN start ON start.root_id = standing.root_id
        CROSS JOIN GENERATE_SERIES(
            GREATEST(
                DATE_TRUNC('month', standing.event_date),
                start.month + INTERVAL '1 month'
            ),
            LEAST(
                DATE_TRUNC('month', standing.next_date) - INTERVAL '1 month',
                start.month + %(last_age)s * INTERVAL '1 month',
                %(today)s
            ),
            INTERVAL '1 month'
        ) AS ending(month)
        """,
        last_age=LAST_AGE,
        today=today,
    )


def _rows_sql(env, today):
    """Bring it together, in the currency of one company."""
    currency = env.company.currency_id
    rates = SQL(", ").join(
        SQL(
            "(%s, %s)",
            company.id,
            company.currency_id._get_conversion_rate(
                company.currency_id, currency, env.company, today
            ),
        )
        for company in env.companies
    )
    return SQL(
        """
        SELECT start.root_id * %(ages)s + age AS id,
               start.month::date AS cohort_month, seen.month::date AS month, age,
               present.order_id, start.company_id, %(currency)s AS currency_id,
               start.plan_id, present.user_id, present.team_id,
               1 AS starting_count,
               seen.runs::integer AS running_count,
               start.mrr * rate AS starting_mrr,
               LEAST(start.mrr, seen.mrr) * rate AS kept_mrr,
               seen.mrr * rate AS running_mrr,
               seen.runs::integer::float AS retention_rate,
               COALESCE(LEAST(start.mrr, seen.mrr)::float / NULLIF(start.mrr, 0), 0)
                   AS mrr_retention_rate,
               COALESCE(seen.mrr::float / NULLIF(start.mrr, 0), 0)
                   AS net_mrr_retention_rate
        FROM seen
        JOIN start ON start.root_id = seen.root_id
        JOIN present ON present.root_id = seen.root_id
        JOIN (VALUES %(rates)s) AS conversion(company_id, rate)
             ON conversion.company_id = start.company_id
        CROSS JOIN LATERAL (
            SELECT (
                12 * EXTRACT(YEAR FROM AGE(seen.month, start.month))
                + EXTRACT(MONTH FROM AGE(seen.month, start.month))
            )::integer AS age
        ) AS counted
        """,
        ages=AGES,
        currency=currency.id,
        rates=rates,
    )
