"""Billing windows become rows: those that the ledger knows, and the running ones.

- A window that was rated is one, from where it was rated to where it ended when it was
  invoiced last. So is the last one that was invoiced without any rating, and the one
  that the order's dates say is open.
- Time between two windows of a chain of renewals is a gap: usage there stays
  unallocated. Time before the first one has no window.
- Where windows overlap, what was invoiced stands before what is open, and what was
  invoiced first before what was invoiced later. The later one begins where the earlier
  one ends; one of which nothing is left adds its ratings to the one that it lay in.
  ``post-ledger.py`` sees to it that this charges nobody anything.
- An open window that a change of dates had given up ("superseded") is dropped.
"""

import logging
import time

from odoo.tools.sql import column_exists, table_exists

_logger = logging.getLogger(__name__)

TABLE = """
    CREATE TABLE fusion_billing_window (
        id serial PRIMARY KEY,
        subscription_id int4, root_id int4, kind varchar,
        start timestamp, "end" timestamp, first_day date, end_day date,
        tz varchar, plan_id int4, partner_id int4, company_id int4, currency_id int4,
        is_settled bool, settled_at timestamp, invoice_id int4,
        digest varchar, digest_until int4, digest_count int4,
        create_uid int4, create_date timestamp, write_uid int4, write_date timestamp
    )
"""
# Orders, the first one of their chain of renewals, and what the windows take from them.
ORDERS = """
    CREATE TEMP TABLE fc_order AS
    WITH RECURSIVE up(id, root, depth) AS (
        SELECT o.id, o.id, 0 FROM sale_order o
         WHERE o.is_subscription
            OR EXISTS (SELECT FROM fusion_billing_rating r
                        WHERE r.subscription_id = o.id)
         UNION ALL
        SELECT up.id, parent.id, up.depth + 1
          FROM up
          JOIN sale_order o ON o.id = up.root
          JOIN sale_order parent ON parent.id = o.subscription_id
         WHERE parent.is_subscription AND parent.id <> o.id AND up.depth < 500
    )
    SELECT DISTINCT ON (o.id)
           o.id, up.root, coalesce(c.fc_billing_tz, 'UTC') AS tz, o.company_id,
           o.partner_id, o.currency_id, o.plan_id, o.fc_settled_start,
           o.fc_settled_end, o.fc_settled_day, o.fc_window_plan_id,
           o.fc_window_plan_day, o.last_invoice_date, o.next_invoice_date,
           coalesce(o.last_invoice_date, o.start_date) AS first_day,
           o.state = 'cancel' OR coalesce(o.subscription_state, '') = '6_churn'
               AS has_ended,
           o.state = 'sale' AND o.is_subscription
           AND (o.subscription_state IN ('3_progress', '4_paused')
                OR o.subscription_state = '5_renewed'
                   AND o.fc_settled_day IS DISTINCT FROM o.next_invoice_date)
               AS has_open_window
      FROM up
      JOIN sale_order o ON o.id = up.id
      JOIN res_company c ON c.id = o.company_id
     ORDER BY o.id, up.depth DESC;
    CREATE UNIQUE INDEX ON fc_order (id);
    ANALYZE fc_order
"""
# What the order's dates said its open window is.
OPEN = """
    CREATE TEMP TABLE fc_open AS
    SELECT id, day_start, CASE
           WHEN fc_settled_day = last_invoice_date
             OR fc_settled_start < day_start AND day_start < fc_settled_end
           THEN fc_settled_end ELSE day_start END AS start, stop AS "end"
      FROM (SELECT o.*,
                   first_day::timestamp AT TIME ZONE tz AT TIME ZONE 'UTC' AS day_start,
                   next_invoice_date::timestamp AT TIME ZONE tz AT TIME ZONE 'UTC'
                       AS stop
              FROM fc_order o WHERE has_open_window) o
"""
# Ratings of one charge and start are of one window, which ends as the last of them
# that was invoiced says; those of several charges, where it ends on the same day.
SPANS = """
    CREATE TEMP TABLE fc_rated AS
    SELECT subscription_id AS id, charge_id, window_start AS origin,
           (array_agg(window_end ORDER BY state = 'open', id DESC))[1] AS "end"
      FROM fusion_billing_rating GROUP BY 1, 2, 3;
    CREATE UNIQUE INDEX ON fc_rated (id, charge_id, origin);
    ANALYZE fc_rated;
    CREATE TEMP TABLE fc_span (
        key serial PRIMARY KEY, id int4, root int4, origin timestamp, start timestamp,
        "end" timestamp, is_settled bool, since int4, plan_id int4, currency_id int4,
        invoice_id int4, settled_at timestamp, is_cut bool DEFAULT false,
        rated_end timestamp
    );
    INSERT INTO fc_span (id, root, origin, start, "end", rated_end, is_settled, since,
                         plan_id, currency_id, invoice_id, settled_at)
    SELECT r.subscription_id, o.root, r.window_start, r.window_start, x."end", x."end",
           bool_or(r.state <> 'open'), min(r.id),
           (array_agg(c.plan_id ORDER BY r.explanation ? 'superseded',
                      r.state = 'open', r.id DESC))[1],
           (array_agg(r.currency_id ORDER BY r.state = 'open', r.id DESC))[1],
           (array_agg(r.invoice_id ORDER BY r.state <> 'invoiced',
                      r.explanation ? 'billed_by', r.id DESC)
            FILTER (WHERE r.invoice_id IS NOT NULL))[1],
           min(coalesce(m.create_date, r.write_date)) FILTER (WHERE r.state <> 'open')
      FROM fusion_billing_rating r
      JOIN fc_order o ON o.id = r.subscription_id
      JOIN fc_rated x ON x.id = r.subscription_id AND x.charge_id = r.charge_id
       AND x.origin = r.window_start
      JOIN fusion_billing_charge c ON c.id = r.charge_id
      LEFT JOIN account_move m ON m.id = r.invoice_id
     GROUP BY r.subscription_id, o.root, r.window_start, x."end"
    HAVING bool_or(r.state <> 'open' OR NOT r.explanation ? 'superseded');
    CREATE INDEX ON fc_span (id, origin);
    ANALYZE fc_span;
    INSERT INTO fc_span (id, root, start, "end", is_settled, currency_id)
    SELECT o.id, o.root, o.fc_settled_start, o.fc_settled_end, true, o.currency_id
      FROM fc_order o
     WHERE o.fc_settled_start < o.fc_settled_end
       AND NOT EXISTS (SELECT FROM fc_span s WHERE s.id = o.id AND s.is_settled
                          AND s.start < o.fc_settled_end
                          AND s."end" > o.fc_settled_start);
    UPDATE fc_span s SET "end" = n."end"
      FROM fc_open n
     WHERE s.id = n.id AND s.start = n.start AND NOT s.is_settled
       AND n."end" > n.start;
    INSERT INTO fc_span (id, root, start, "end", is_settled, currency_id)
    SELECT o.id, o.root, n.start, n."end", false, o.currency_id
      FROM fc_open n JOIN fc_order o ON o.id = n.id
     WHERE n."end" > n.start
       AND NOT EXISTS (SELECT FROM fc_span s WHERE s.id = n.id AND s.start = n.start
                          AND s."end" >= n."end");
    UPDATE fc_span s SET is_settled = true
      FROM fc_order o
     WHERE o.id = s.id AND NOT s.is_settled
       AND (o.has_ended OR s."end" <= o.fc_settled_end);
    -- of the order's plan, also where a metric is priced by an earlier plan's charge
    UPDATE fc_span s SET plan_id = coalesce(
               CASE WHEN o.fc_window_plan_day = o.first_day
                    THEN o.fc_window_plan_id END, o.plan_id)
      FROM fc_order o
      LEFT JOIN fc_open n ON n.id = o.id
     WHERE o.id = s.id
       AND (s.plan_id IS NULL OR NOT s.is_settled AND s."end" = n."end")
"""
TANGLED = """
    SELECT s.key, s.root, s.id, s.start, s."end", s.is_settled, s.since,
           n.id IS NOT NULL
      FROM fc_span s
      LEFT JOIN fc_open n ON n.id = s.id AND n.start = s.start AND n."end" = s."end"
     WHERE s.root IN (
               SELECT root FROM (
                   SELECT root, start, max("end") OVER (
                              PARTITION BY root ORDER BY start, key
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                              AS before
                     FROM fc_span) x
                WHERE start < before)
     ORDER BY s.root, s.key
"""
# The days at which they were cut: the midnight that is nearest in the present zone.
DAYS = """
    CREATE INDEX ON fc_span (root, start);
    ANALYZE fc_span;
    CREATE TEMP TABLE fc_made AS
    WITH days AS (
        SELECT s.*, o.tz, o.company_id, o.partner_id,
               (s.start AT TIME ZONE 'UTC' AT TIME ZONE o.tz
                + interval '12 hours')::date AS own_first,
               coalesce(
                   CASE WHEN s."end" = o.fc_settled_end THEN o.fc_settled_day END,
                   (s."end" AT TIME ZONE 'UTC' AT TIME ZONE o.tz
                    + interval '12 hours')::date) AS end_day
          FROM fc_span s JOIN fc_order o ON o.id = s.id
    ), chained AS (
        SELECT *, lag("end") OVER w AS last_end, lag(end_day) OVER w AS last_day
          FROM days WINDOW w AS (PARTITION BY root ORDER BY start)
    )
    SELECT *, CASE WHEN last_end = start THEN last_day
                   ELSE greatest(own_first, last_day) END AS first_day
      FROM chained
"""
INSERT = """
    INSERT INTO fusion_billing_window
           (id, subscription_id, root_id, kind, start, "end", first_day, end_day, tz,
            plan_id, partner_id, company_id, currency_id, is_settled, settled_at,
            invoice_id, create_uid, create_date, write_uid, write_date)
    SELECT key, id, root, 'billing', start, "end", first_day,
           greatest(end_day, first_day + 1), tz, plan_id, partner_id, company_id,
           currency_id, is_settled,
           CASE WHEN is_settled THEN coalesce(settled_at, "end") END, invoice_id,
           1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM fc_made;
    SELECT setval('fusion_billing_window_id_seq', (SELECT coalesce(max(key), 0) + 1
                                                     FROM fc_made));
    INSERT INTO fusion_billing_window
           (subscription_id, root_id, kind, start, "end", first_day, end_day, tz,
            plan_id, partner_id, company_id, currency_id,
            create_uid, create_date, write_uid, write_date)
    SELECT id, root, 'gap', last_end, start, last_day,
           greatest(first_day, last_day + 1), tz, plan_id, partner_id, company_id,
           currency_id, 1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM fc_made WHERE last_end < start
"""


def migrate(cr, _version):
    if not table_exists(cr, "fusion_billing_rating") or not column_exists(
        cr, "sale_order", "fc_settled_end"
    ):
        return
    begin = time.monotonic()
    cr.execute(TABLE)
    for statement in (ORDERS, OPEN, SPANS):
        cr.execute(statement)
    # which span the ratings of a charge and start are of
    cr.execute(
        """
        CREATE TEMP TABLE fc_place AS
        SELECT s.id, x.charge_id, s.origin, s.key, s.key AS own
          FROM fc_span s
          JOIN fc_rated x ON x.id = s.id AND x.origin = s.origin
           AND x."end" = s.rated_end
        """
    )
    cut = untangle_all(cr)
    cr.execute(
        "CREATE UNIQUE INDEX ON fc_place (id, charge_id, origin); ANALYZE fc_place"
    )
    cr.execute(DAYS)
    cr.execute(INSERT)
    cr.execute("ANALYZE fusion_billing_window")
    cr.execute("SELECT count(*) FROM fusion_billing_window")
    _logger.info(
        "Billing windows: %s rows, %s that overlapped were cut, in %.1f s",
        cr.fetchone()[0],
        cut,
        time.monotonic() - begin,
    )


def untangle_all(cr):
    """Cut the spans that overlap; returns how many were."""
    cr.execute(TANGLED)
    chains = {}
    for key, root, *span in cr.fetchall():
        chains.setdefault(root, []).append((key, *span))
    cut, gone, near = [], [], set()
    for spans in chains.values():
        changes, touched = untangle(spans)
        near |= touched
        cut += [change[:3] for change in changes if change[3] is None]
        gone += [(key, into) for key, _start, _end, into in changes if into is not None]
    if cut:
        cr.execute_values(
            """
            UPDATE fc_span s
               SET start = v.start::timestamp, "end" = v."end"::timestamp, is_cut = true
              FROM (VALUES %s) AS v(key, start, "end") WHERE s.key = v.key
            """,
            cut,
        )
    if gone:
        # The key 0 stands for none: these ratings go, with the span.
        cr.execute(
            """
            WITH gone AS (SELECT * FROM unnest(%s::int4[], %s::int4[]) AS g(key, into)),
                 moved AS (UPDATE fc_place p SET key = gone.into
                             FROM gone WHERE p.key = gone.key)
            DELETE FROM fc_span s USING gone WHERE s.key = gone.key;
            DELETE FROM fc_place WHERE key = 0
            """,
            [[key for key, _into in gone], [into for _key, into in gone]],
        )
    cr.execute("UPDATE fc_span SET is_cut = true WHERE key = ANY(%s)", [list(near)])
    return len(cut) + len(gone)


def untangle(spans):
    """Give each instant of a chain to one span.

    :param spans: (key, order, start, end, is settled, its first rating or None, is the
        open window of the order's dates)
    :return: (key, start, end, None) of those that are cut, (key, None, None, key of the
        span that takes its ratings, or 0: they are open and are made anew) of those of
        which nothing is left; and the keys of those that stay, and took time of them
    """
    late = float("inf")

    def rank(span):
        _key, order, start, _end, is_settled, since, is_current = span
        return not is_settled, not is_current, since or late, order, start

    kept, changes, touched = [], [], set()
    for key, order, start, end, is_settled, _since, _current in sorted(spans, key=rank):
        around = [k for k in kept if k[2] < end and k[3] > start]
        if is_settled:
            touched |= {k[0] for k in around}
        piece = last_piece(start, end, [(s, e) for _k, _o, s, e, _settled in kept])
        if piece:
            kept.append((key, order, *piece, is_settled))
            if piece != (start, end):
                changes.append((key, *piece, None))
            continue
        around.sort(key=lambda k: (k[1] != order, not k[2] <= start < k[3], k[2]))
        changes.append((key, None, None, around[0][0] if is_settled else 0))
    return changes, touched


def last_piece(start, end, taken):
    """The latest stretch of [start, end) that no other one has taken, or None."""
    for other_start, other_end in sorted(taken, reverse=True):
        if other_start < end and other_end > start:
            if other_end < end:
                return other_end, end
            end = other_start
    return (start, end) if start < end else None
