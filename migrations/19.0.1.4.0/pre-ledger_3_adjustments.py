"""What finance has charged otherwise than it was rated becomes rows of its own.

The line of a posted invoice that says another amount than its rating, and credit notes
that were not to be billed again, in full or in part. What credit notes add up to
beyond their line is a credit by hand.
"""

import logging
import time

from odoo.tools.sql import table_exists

_logger = logging.getLogger(__name__)

TABLE = """
    CREATE TABLE fusion_billing_adjustment (
        id serial PRIMARY KEY,
        rating_id int4, agreement_id int4, line_id int4, company_id int4,
        forgiven numeric, ended_by_id int4,
        create_uid int4, create_date timestamp, write_uid int4, write_date timestamp
    )
"""
# What the posted lines of ratings charge, one rating for each line: its last one.
LINES = """
    CREATE TEMP TABLE fc_line AS
    SELECT l.id, max(r.id) AS rating_id, sum(r.amount) AS rated,
           (CASE WHEN m.move_type = 'out_refund' THEN -1 ELSE 1 END)
           * round(l.price_unit * l.quantity * (1 - coalesce(l.discount, 0) / 100)
                   / c.rounding) * c.rounding AS charged,
           l.move_id, c.rounding
      FROM fusion_billing_rating r
      JOIN account_move_line l ON l.id = r.invoice_line_id
      JOIN account_move m ON m.id = l.move_id
      JOIN res_currency c ON c.id = r.currency_id
     WHERE r.state = 'invoiced' AND m.state = 'posted'
     GROUP BY l.id, m.move_type, c.rounding;
    CREATE UNIQUE INDEX ON fc_line (id);
    ANALYZE fc_line
"""
INSERT = """
    WITH credit AS (
        SELECT line.rating_id, copy.id, sign(line.charged) AS sign,
               abs(line.charged) AS whole,
               -(CASE WHEN m.move_type = 'out_refund' THEN -1 ELSE 1 END)
               * sign(line.charged)
               * round(copy.price_unit * copy.quantity
                       * (1 - coalesce(copy.discount, 0) / 100) / line.rounding)
               * line.rounding AS amount
          FROM fc_line line
          JOIN account_move_line copy ON copy.fc_copied_from_id = line.id
          JOIN account_move m ON m.id = copy.move_id
         WHERE m.state = 'posted' AND m.reversed_entry_id = line.move_id
    ), before AS (
        SELECT *, coalesce(sum(amount) OVER (
                     PARTITION BY rating_id ORDER BY id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS gone
          FROM credit
    ), otherwise AS (
        SELECT rating_id, id, sign * CASE WHEN amount > 0
               THEN greatest(0, least(amount, whole - gone)) ELSE amount END AS forgiven
          FROM before
         UNION ALL
        SELECT rating_id, id, rated - charged FROM fc_line
    )
    INSERT INTO fusion_billing_adjustment
           (rating_id, agreement_id, line_id, company_id, forgiven,
            create_uid, create_date, write_uid, write_date)
    SELECT r.id, r.agreement_id, x.id, r.company_id, x.forgiven,
           1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM otherwise x JOIN fusion_billing_rating r ON r.id = x.rating_id
     WHERE x.forgiven <> 0
     ORDER BY x.id
"""
# Credits in part were never billed again, whatever the credit note said. Two of them
# that add up to the whole line would be, by now.
CREDITS = """
    UPDATE account_move m SET fc_bill_again = false
     WHERE m.fc_bill_again AND m.move_type = 'out_refund' AND m.state = 'posted'
       AND EXISTS (SELECT FROM account_move_line l
                     JOIN fusion_billing_adjustment x ON x.line_id = l.id
                    WHERE l.move_id = m.id AND l.fc_copied_from_id IS NOT NULL)
       AND NOT EXISTS (SELECT FROM fusion_billing_rating r
                        WHERE r.released_by_id = m.id)
"""


def migrate(cr, _version):
    if table_exists(cr, "fusion_billing_adjustment") or not table_exists(
        cr, "fusion_billing_window_charge"
    ):
        return
    begin = time.monotonic()
    for statement in (TABLE, LINES, INSERT):
        cr.execute(statement)
    count = cr.rowcount
    cr.execute(CREDITS)
    _logger.info(
        "Billing ledger: %s amounts charged otherwise, in %.1f s",
        count,
        time.monotonic() - begin,
    )
