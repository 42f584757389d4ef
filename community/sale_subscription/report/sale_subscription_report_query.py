"""The query behind the report: from the rows of the MRR log to accounts per month."""

from odoo import fields
from odoo.tools import SQL

from .sale_subscription_dimensions import rates_sql

# What an event of the MRR log counts as: a column of amounts and one of subscriptions.
KINDS = ("new", "expansion", "contraction", "churn", "reopen", "pause", "transfer")


def report_query(env):
    """Return the query of `sale.subscription.report`.

    :param env: environment with the companies worked in; amounts are converted to
        the currency of the first of them
    :rtype: odoo.tools.SQL
    """
    today = fields.Date.today()
    return SQL(
        """
        WITH event AS (%(events)s),
             movement AS (%(movements)s),
             cell AS (%(cells)s),
             account AS (%(accounts)s)
        SELECT *,
               %(mrr_rate)s AS mrr_churn_rate,
               %(mrr_rate)s AS period_mrr_churn_rate,
               %(logo_rate)s AS logo_churn_rate,
               %(logo_rate)s AS period_logo_churn_rate
        FROM account
        """,
        events=_events_sql(env.companies),
        movements=_movements_sql(),
        cells=_cells_sql(today),
        accounts=_accounts_sql(env, today),
        mrr_rate=SQL("COALESCE((-churn_mrr)::float / NULLIF(opening_mrr, 0), 0)"),
        logo_rate=SQL("COALESCE(churn_count::float / NULLIF(opening_count, 0), 0)"),
    )


def _events_sql(companies):
    """Select the rows of the log with what came before each of them.

    And with what it was last that let the subscription run or stop: a pause is one
    until it ends, whatever else is written down meanwhile (another plan, a renewal
    that was cancelled).
    """
    return SQL(
        """
        SELECT *,
               FIRST_VALUE(event_type) OVER since AS since_type,
               FIRST_VALUE(amount) OVER since AS since_amount,
               FIRST_VALUE(active) OVER since AS since_active
        FROM (
            SELECT log.id, log.order_id, log.event_date, log.event_type,
                   log.company_id, log.plan_id,
                   sale_order.user_id, sale_order.team_id,
                   log.amount_company_signed AS amount,
                   log.active_change AS active,
                   LAG(log.plan_id) OVER past AS previous_plan_id,
                   SUM(log.amount_company_signed) OVER past
                       - log.amount_company_signed AS amount_before,
                   SUM(log.active_change) OVER past - log.active_change
                       AS active_before,
                   COUNT(*) FILTER (
                       WHERE log.event_type IN
                           ('new', 'pause', 'resume', 'reopen', 'transfer_in')
                   ) OVER past AS since_number
            FROM sale_order_log log
            JOIN sale_order ON sale_order.id = log.order_id
            WHERE log.company_id IN %(companies)s
            WINDOW past AS (
                PARTITION BY log.order_id ORDER BY log.event_date, log.id
            )
        ) AS log
        WINDOW since AS (
            PARTITION BY order_id, since_number ORDER BY event_date, id
        )
        """,
        companies=tuple(companies.ids),
    )


def _movements_sql():
    """Select what each event counts as.

    Beside the event itself: closing a paused subscription turns its pause into
    churn, and what stood on one plan goes over when the next event is on another.
    """
    return SQL(
        """
        SELECT DATE_TRUNC('month', event_date)::date AS month,
               company_id, moved.plan_id, user_id, team_id,
               moved.kind, moved.amount, moved.active
        FROM event
        CROSS JOIN LATERAL (
            VALUES
                (TRUE, plan_id, CASE
                    WHEN event_type = 'resume' THEN 'pause'
                    WHEN event_type LIKE 'transfer%%' THEN 'transfer'
                    ELSE event_type
                 END, amount, active),
                (event_type = 'churn' AND since_type = 'pause',
                 plan_id, 'churn', since_amount, since_active),
                (event_type = 'churn' AND since_type = 'pause',
                 plan_id, 'pause', -since_amount, -since_active),
                (plan_id != previous_plan_id,
                 previous_plan_id, 'transfer', -amount_before, -active_before),
                (plan_id != previous_plan_id,
                 plan_id, 'transfer', amount_before, active_before)
        ) AS moved(happens, plan_id, kind, amount, active)
        WHERE moved.happens
        """
    )


def _cells_sql(today):
    """Add the movements up by month, with the months in which nothing moved."""
    keys = SQL("company_id, plan_id, user_id, team_id")
    sums = SQL(", ").join(
        SQL(
            """COALESCE(SUM(amount) FILTER (WHERE kind = %(kind)s), 0) AS %(mrr)s,
               COALESCE(SUM(active) FILTER (WHERE kind = %(kind)s), 0) AS %(count)s
            """,
            kind=kind,
            mrr=SQL.identifier(f"{kind}_mrr"),
            count=SQL.identifier(f"{kind}_count"),
        )
        for kind in KINDS
    )
    return SQL(
        """
        SELECT month, %(keys)s, SUM(amount) AS mrr, SUM(active) AS count, %(sums)s
        FROM (
            SELECT * FROM movement
            UNION ALL
            SELECT month::date, %(keys)s, '', 0, 0
            FROM (
                SELECT %(keys)s, MIN(month) AS first FROM movement GROUP BY %(keys)s
            ) AS combination
            CROSS JOIN GENERATE_SERIES(first, %(today)s, '1 month') AS month
        ) AS movement
        GROUP BY month, %(keys)s
        """,
        keys=keys,
        sums=sums,
        today=today,
    )


def _accounts_sql(env, today):
    """Add what was open before and after, in the currency of one company."""
    amounts = SQL(", ").join(
        SQL("%(mrr)s * rate AS %(mrr)s", mrr=SQL.identifier(f"{kind}_mrr"))
        for kind in KINDS
    )
    counts = SQL(", ").join(
        SQL(
            "%(sign)s%(count)s AS %(count)s",
            sign=SQL("-") if kind == "churn" else SQL(),
            count=SQL.identifier(f"{kind}_count"),
        )
        for kind in KINDS
        if kind not in ("expansion", "contraction")
    )
    return SQL(
        """
        SELECT ROW_NUMBER() OVER (
                   ORDER BY month, cell.company_id, plan_id, user_id, team_id
               ) AS id,
               month, cell.company_id, plan_id, user_id, team_id,
               %(currency)s AS currency_id,
               (SUM(mrr) OVER past - mrr) * rate AS opening_mrr,
               SUM(mrr) OVER past * rate AS closing_mrr,
               SUM(count) OVER past - count AS opening_count,
               SUM(count) OVER past AS closing_count,
               %(amounts)s,
               %(counts)s
        FROM cell
        JOIN (VALUES %(rates)s) AS conversion(company_id, rate)
             ON conversion.company_id = cell.company_id
        WINDOW past AS (
            PARTITION BY cell.company_id, plan_id, user_id, team_id ORDER BY month
        )
        """,
        currency=env.company.currency_id.id,
        amounts=amounts,
        counts=counts,
        rates=rates_sql(env, today),
    )
