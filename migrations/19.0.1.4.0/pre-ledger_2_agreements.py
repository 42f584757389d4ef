"""Agreements, and the facts of ratings, become rows and columns.

All ratings of one metric and window are revisions of one agreement, whatever charge
they were priced by: by id, the open one last. Its terms are those of the last revision
that was invoiced at a price of its own.
"""

import logging
import time

from odoo.tools.sql import column_exists

_logger = logging.getLogger(__name__)

TABLE = """
    CREATE TABLE fusion_billing_window_charge (
        id serial PRIMARY KEY,
        window_id int4, subscription_id int4, company_id int4, metric_id int4,
        charge_id int4, product_id int4, terms jsonb, charge_currency_id int4,
        rate_from numeric, rate_to numeric, discount numeric, state varchar,
        peak_share int4,
        create_uid int4, create_date timestamp, write_uid int4, write_date timestamp
    );
    ALTER TABLE fusion_billing_rating
      DROP CONSTRAINT IF EXISTS fusion_billing_rating_revision_unique,
      ADD COLUMN window_id int4, ADD COLUMN agreement_id int4,
      ADD COLUMN window_amount numeric, ADD COLUMN amount_untaxed numeric,
      ADD COLUMN line_price numeric, ADD COLUMN counted jsonb,
      ADD COLUMN product_id int4, ADD COLUMN charge_currency_id int4,
      ADD COLUMN terms jsonb, ADD COLUMN rate_from numeric, ADD COLUMN rate_to numeric,
      ADD COLUMN discount numeric;
    DROP INDEX IF EXISTS fusion_billing_rating__one_open
"""
# Open ones of a window that is gone: what they say is worked out anew.
ROWS = """
    CREATE TEMP TABLE fc_row AS
    SELECT r.id, p.key AS window_id, p.key <> p.own OR s.is_cut AS is_cut, p.own,
           r.metric_id, r.charge_id, r.state, r.revision, r.amount, r.currency_id,
           r.explanation ? 'superseded' AS superseded, r.released_by_id,
           coalesce(r.explanation->'billed_by', '[]') AS billed_by,
           coalesce((r.explanation->>'rounded')::numeric, r.amount) AS rounded,
           coalesce(l.product_id, c.product_id) AS product_id,
           coalesce(cur.id, c.currency_id, r.currency_id) AS charge_currency_id,
           (r.explanation->>'conversion_rate')::numeric AS rate,
           jsonb_strip_nulls(jsonb_build_object(
               'model', r.explanation->'model', 'quota', r.explanation->'quota',
               'unit_price', r.explanation->'unit_price',
               'unit_batch', r.explanation->'unit_batch',
               'minimum', r.explanation->'minimum'))
           || CASE WHEN r.explanation ? 'tiers'
                   THEN jsonb_build_object('tiers', r.explanation->'tiers')
                   ELSE '{}' END AS terms
      FROM fusion_billing_rating r
      JOIN fc_place p ON p.id = r.subscription_id AND p.charge_id = r.charge_id
       AND p.origin = r.window_start
      JOIN fc_span s ON s.key = p.key
      JOIN fusion_billing_charge c ON c.id = r.charge_id
      LEFT JOIN account_move_line l ON l.id = r.invoice_line_id
      LEFT JOIN res_currency cur ON cur.name = r.explanation->>'currency';
    CREATE UNIQUE INDEX ON fc_row (id);
    ANALYZE fc_row;
    DELETE FROM fusion_billing_rating r
     WHERE state = 'open' AND NOT EXISTS (SELECT FROM fc_row x WHERE x.id = r.id)
"""
# One open revision is left of several: it is to charge what all of them were to.
ONE_OPEN = """
    WITH ranked AS (
        SELECT id, row_number() OVER w AS number,
               sum(amount) OVER (PARTITION BY window_id, metric_id) AS total,
               count(*) OVER (PARTITION BY window_id, metric_id) AS count
          FROM fc_row WHERE state = 'open'
        WINDOW w AS (PARTITION BY window_id, metric_id
                     ORDER BY superseded, id DESC)
    ), dropped AS (
        DELETE FROM fusion_billing_rating
         WHERE id IN (SELECT id FROM ranked WHERE number > 1)
    ), gone AS (
        DELETE FROM fc_row WHERE id IN (SELECT id FROM ranked WHERE number > 1)
    )
    UPDATE fc_row SET amount = ranked.total
      FROM ranked WHERE ranked.id = fc_row.id AND number = 1 AND count > 1
"""
NUMBERS = """
    CREATE TEMP TABLE fc_numbered AS
    WITH final AS (
        SELECT DISTINCT ON (window_id, metric_id) id
          FROM fc_row WHERE state <> 'open' AND NOT superseded
         ORDER BY window_id, metric_id, id DESC
    ), several AS (
        SELECT window_id, metric_id,
               min(charge_id) <> max(charge_id) OR min(own) <> max(own)
                   OR min(currency_id) <> max(currency_id) AS is_joined
          FROM fc_row GROUP BY window_id, metric_id
    )
    SELECT r.*, s.is_joined,
           CASE WHEN s.is_joined
                THEN row_number() OVER (
                         PARTITION BY r.window_id, r.metric_id
                         ORDER BY r.state = 'open', final.id IS NOT NULL, r.id) - 1
                ELSE r.revision END AS number, final.id IS NOT NULL AS is_final
      FROM fc_row r
      JOIN several s USING (window_id, metric_id)
      LEFT JOIN final ON final.id = r.id;
    CREATE UNIQUE INDEX ON fc_numbered (id);
    CREATE INDEX ON fc_numbered (window_id, metric_id);
    ANALYZE fc_numbered;
    CREATE TEMP TABLE fc_joined AS
    SELECT r.id, coalesce(jsonb_agg(b.number ORDER BY b.number)
                          FILTER (WHERE b.id IS NOT NULL), '[]') AS counted,
           coalesce(sum(b.amount) FILTER (WHERE b.state = 'invoiced'), 0) + r.amount
               AS window_amount
      FROM fc_numbered r
      LEFT JOIN fc_numbered b
        ON b.window_id = r.window_id AND b.metric_id = r.metric_id
       AND b.number < r.number AND b.amount <> 0
       AND CASE WHEN b.charge_id = r.charge_id AND b.own = r.own
                THEN r.billed_by @> to_jsonb(b.revision)
                ELSE b.state = 'invoiced' END
     WHERE r.is_joined
     GROUP BY r.id, r.amount
"""
# An agreement is open again where what was given back has not been billed since.
AGREEMENTS = """
    INSERT INTO fusion_billing_window_charge
           (window_id, subscription_id, company_id, metric_id, charge_id, product_id,
            terms, charge_currency_id, rate_from, rate_to, discount, state, peak_share,
            create_uid, create_date, write_uid, write_date)
    SELECT DISTINCT ON (r.window_id, r.metric_id)
           r.window_id, w.subscription_id, w.company_id, r.metric_id, r.charge_id,
           r.product_id, r.terms, r.charge_currency_id,
           CASE WHEN r.rate IS NOT NULL THEN 1 END, r.rate, 0,
           CASE WHEN NOT w.is_settled THEN 'open'
                WHEN EXISTS (
                     SELECT FROM fc_numbered given
                      WHERE given.window_id = r.window_id
                        AND given.metric_id = r.metric_id
                        AND given.state = 'released'
                        AND NOT EXISTS (
                                SELECT FROM fc_numbered again
                                  LEFT JOIN fc_joined j ON j.id = again.id
                                 WHERE again.window_id = given.window_id
                                   AND again.metric_id = given.metric_id
                                   AND again.state = 'invoiced'
                                   AND again.number > given.number
                                   AND NOT coalesce(j.counted, again.billed_by)
                                           @> to_jsonb(given.number)))
                THEN 'open' ELSE 'settled' END,
           0, 1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM fc_numbered r
      JOIN fusion_billing_window w ON w.id = r.window_id
     ORDER BY r.window_id, r.metric_id,
           CASE WHEN r.superseded THEN 4
                WHEN r.state = 'invoiced' AND (r.amount <> 0 OR r.billed_by = '[]')
                THEN 0
                WHEN r.state = 'invoiced' THEN 1
                WHEN r.state = 'open' THEN 2 ELSE 3 END, r.number DESC;
    CREATE UNIQUE INDEX fc_agreement
        ON fusion_billing_window_charge (window_id, metric_id);
    ANALYZE fusion_billing_window_charge
"""
COLUMNS = """
    UPDATE fusion_billing_rating r
       SET window_id = n.window_id, agreement_id = a.id, revision = n.number,
           amount = n.amount, amount_untaxed = n.amount,
           window_amount = coalesce(j.window_amount, n.rounded),
           counted = coalesce(j.counted, n.billed_by),
           line_price = CASE WHEN r.invoice_line_id IS NOT NULL THEN n.amount END,
           product_id = n.product_id, charge_currency_id = n.charge_currency_id,
           terms = n.terms, rate_from = CASE WHEN n.rate IS NOT NULL THEN 1 END,
           rate_to = n.rate, discount = 0,
           window_start = CASE WHEN r.state = 'open' THEN w.start
                               ELSE r.window_start END,
           window_end = CASE WHEN r.state = 'open' THEN w."end" ELSE r.window_end END,
           explanation = (r.explanation - '{superseded,billed_by,conversion_rate}'
                                          ::text[])
               || CASE WHEN n.rate IS NULL THEN '{}' ELSE jsonb_build_object('rates',
                       jsonb_build_array('1', r.explanation->'conversion_rate')) END
      FROM fc_numbered n
      JOIN fusion_billing_window w ON w.id = n.window_id
      JOIN fusion_billing_window_charge a
        ON a.window_id = n.window_id AND a.metric_id = n.metric_id
      LEFT JOIN fc_joined j ON j.id = n.id
     WHERE r.id = n.id;
    UPDATE fusion_billing_window_charge a SET peak_share = r.peak
      FROM (SELECT agreement_id, coalesce(max(peak_share), 0) AS peak
              FROM fusion_billing_rating GROUP BY agreement_id) r
     WHERE r.agreement_id = a.id
"""
# As cancelling an invoice leaves it: bounds stay, prices are those of the charges.
OPENED = """
    UPDATE fusion_billing_window w SET is_settled = false
      FROM fc_order o
     WHERE o.id = w.subscription_id AND w.is_settled AND NOT o.has_ended
       AND EXISTS (SELECT FROM fusion_billing_rating r
                    WHERE r.window_id = w.id AND r.is_taken_back)
       AND NOT EXISTS (SELECT FROM fusion_billing_window_charge a
                        WHERE a.window_id = w.id AND a.state = 'settled')
"""


def migrate(cr, _version):
    if column_exists(cr, "fusion_billing_rating", "agreement_id") or not column_exists(
        cr, "sale_order", "fc_settled_end"
    ):
        return
    begin = time.monotonic()
    statements = TABLE, ROWS, ONE_OPEN, NUMBERS, AGREEMENTS, COLUMNS, OPENED
    for statement in statements:
        cr.execute(statement)
    cr.execute(
        """
        DROP INDEX fc_agreement;
        ALTER TABLE sale_order
              DROP COLUMN fc_settled_start, DROP COLUMN fc_settled_end,
              DROP COLUMN fc_settled_day, DROP COLUMN fc_window_plan_id,
              DROP COLUMN fc_window_plan_day;
        SELECT (SELECT count(*) FROM fusion_billing_window_charge),
               (SELECT count(*) FROM fusion_billing_rating)
        """
    )
    agreements, ratings = cr.fetchone()
    _logger.info(
        "Billing ledger: %s agreements of %s ratings in %.1f s",
        agreements,
        ratings,
        time.monotonic() - begin,
    )
