from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ...engine.billing import money
from ...engine.billing.ledger import CreditPart, in_ledger, judge_credits
from .check import KEPT

# What a document line ``l`` of ``i`` charges, in the currency ``c``; below zero on a
# credit note.
_SIGNED = SQL(
    """
    round(l.price_unit * l.quantity * (1 - coalesce(l.discount, 0) / 100),
          c.decimal_places) * CASE WHEN i.move_type = 'out_refund' THEN -1 ELSE 1 END
    """
)
# The amount as it stands on the line: adapted by a fiscal position, where there is one.
_PUT = SQL(
    """
    CASE WHEN o.fiscal_position_id IS NULL AND i.fiscal_position_id IS NULL
    THEN r.amount ELSE coalesce(nullif(r.line_price, 0), r.amount) END
    """
)


class FusionBillingAuditDocuments(models.AbstractModel):
    """I3 and I6: ratings against the invoices and credit notes that bill them."""

    _name = "fusion.billing.audit.documents"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of Usage Invoices"

    # -- I3: billed once -------------------------------------------------------

    def _check_i3(self, scope):
        wrong = self._judged(scope)
        return len(wrong), [
            self._found("line_without_rating", self._lines_without_rating(scope)),
            self._kept("released_but_posted", wrong),
            self._kept("credited_but_counted", wrong),
            self._found("charged_by_hand", self._by_hand(scope, False)),
            self._found("confirmed_by_hand", self._by_hand(scope, True)),
            self._kept("credited_by_hand", wrong),
        ]

    def _kept(self, kind, wrong):
        rows = [row for of_kind, row in wrong if of_kind == kind]
        return kind, rows[:KEPT], len(rows)

    def _lines_without_rating(self, scope):
        """Lines made for a usage line of an order; no rating says what they bill."""
        return SQL(
            """
            SELECT o.id AS subscription_id, charge.metric_id,
                   charge.id AS charge_id, i.id AS move_id,
                   '0' AS expected, trim_scale(%s)::text AS found
              FROM sale_order_line ol
              JOIN sale_order o ON o.id = ol.order_id
              JOIN fusion_billing_charge charge ON charge.id = ol.fc_charge_id
              JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = ol.id
              JOIN account_move_line l ON l.id = rel.invoice_line_id
              JOIN account_move i ON i.id = l.move_id
              JOIN res_currency c ON c.id = l.currency_id
             WHERE i.state = 'posted'
               AND i.reversed_entry_id IS NULL AND l.fc_copied_from_id IS NULL
               AND l.price_subtotal <> 0 AND %s
               AND NOT EXISTS (SELECT FROM fusion_billing_rating r
                                WHERE r.invoice_line_id = l.id)
            """,
            _SIGNED,
            scope,
        )

    def _by_hand(self, scope, confirmed):
        """Posted lines over usage that are no rating's, and credit none.

        Copies (Duplicate, a debit note with lines), and lines that somebody has entered
        with a product of usage, for a customer who is billed usage with it.
        """
        return SQL(
            """
            WITH RECURSIVE credit AS (
                SELECT l.id, l.move_id
                  FROM fusion_billing_rating r
                  JOIN account_move_line l ON l.id = r.invoice_line_id
                 UNION
                SELECT l.id, l.move_id
                  FROM credit
                  JOIN account_move_line l ON l.fc_copied_from_id = credit.id
                  JOIN account_move i
                    ON i.id = l.move_id AND i.reversed_entry_id = credit.move_id
            ), agreed AS (
                SELECT a.product_id, p.commercial_partner_id AS partner_id,
                       a.company_id, min(a.subscription_id) AS subscription_id,
                       min(a.metric_id) AS metric_id
                  FROM fusion_billing_window_charge a
                  JOIN fusion_billing_window w ON w.id = a.window_id
                  JOIN sale_order o ON o.id = a.subscription_id
                  JOIN res_partner p ON p.id = coalesce(w.partner_id, o.partner_id)
                 WHERE %s
                 GROUP BY 1, 2, 3
            )
            SELECT coalesce(r.subscription_id, agreed.subscription_id)
                   AS subscription_id,
                   coalesce(r.metric_id, agreed.metric_id) AS metric_id,
                   r.window_start, r.window_end, i.id AS move_id, '0' AS expected,
                   trim_scale(%s)::text AS found
              FROM agreed
              JOIN account_move_line l
                ON l.product_id = agreed.product_id
               AND l.display_type = 'product' AND l.price_subtotal <> 0
              JOIN account_move i
                ON i.id = l.move_id AND i.state = 'posted'
               AND i.move_type IN ('out_invoice', 'out_refund')
               AND i.fc_by_hand IS %s TRUE
               AND i.commercial_partner_id = agreed.partner_id
               AND i.company_id = agreed.company_id
              JOIN res_currency c ON c.id = l.currency_id
              LEFT JOIN LATERAL (
                   SELECT * FROM fusion_billing_rating x
                    WHERE x.invoice_line_id = l.fc_copied_from_id
                    ORDER BY x.id LIMIT 1) r ON TRUE
             WHERE NOT EXISTS (SELECT FROM credit WHERE credit.id = l.id)
               AND (l.fc_copied_from_id IS NOT NULL OR i.reversed_entry_id IS NOT NULL
                    OR NOT EXISTS (
                       SELECT FROM sale_order_line_invoice_rel rel
                         JOIN sale_order_line ol ON ol.id = rel.order_line_id
                        WHERE rel.invoice_line_id = l.id
                          AND ol.fc_charge_id IS NOT NULL))
            """,
            scope,
            _SIGNED,
            SQL("") if confirmed else SQL("NOT"),
        )

    @api.model
    def _charged_by_hand(self, record):
        """What was charged by hand beside a window's ratings, confirmed or not (float).

        A line that copies another is of that one's window. Any other is of the window
        before its document's date, as usage is billed when its window has ended.

        :param record: one ``fusion.billing.reconciliation``
        """
        if not (record.subscription_id and record.metric_id and record.window_start):
            return 0.0
        for model in ("account.move", "account.move.line"):
            self.env[model].flush_model()
        scope = SQL("o.id = %s", record.subscription_id.id)
        [[amount]] = self.env.execute_query(
            SQL(
                """
                SELECT coalesce(sum(x.found::numeric), 0)::text
                  FROM (SELECT * FROM (%s) a UNION ALL SELECT * FROM (%s) b) x
                  JOIN account_move i ON i.id = x.move_id
                 WHERE x.subscription_id = %s AND x.metric_id = %s
                   AND i.currency_id = %s
                   AND coalesce(x.window_start, i.invoice_date - %s) >= %s
                   AND coalesce(x.window_start, i.invoice_date - %s) < %s
                """,
                self._by_hand(scope, False),
                self._by_hand(scope, True),
                record.subscription_id.id,
                record.metric_id.id,
                record.currency_id.id,
                record.window_end - record.window_start,
                record.window_start,
                record.window_end - record.window_start,
                record.window_end,
            )
        )
        return float(amount)

    @api.model
    def _moves_by_hand(self, order, metric):
        """The posted documents that charge by hand what ratings of these two bill."""
        scope = SQL("o.id = %s", order.id)
        rows = self.env.execute_query(
            SQL(
                "SELECT x.move_id FROM (%s UNION ALL SELECT * FROM (%s) b) x"
                " WHERE x.metric_id = %s",
                SQL("SELECT * FROM (%s) a", self._by_hand(scope, False)),
                self._by_hand(scope, True),
                metric.id,
            )
        )
        return self.env["account.move"].browse({move for [move] in rows})

    # -- I6: what is billed is what was rated ----------------------------------

    def _check_i6(self, scope):
        nowhere = self._ratings(
            scope,
            SQL("trim_scale(r.amount)::text AS expected, '0' AS found"),
            SQL(
                """
                r.state = 'invoiced' AND r.amount <> 0 AND (
                    r.invoice_line_id IS NULL OR NOT EXISTS (
                        SELECT FROM account_move i
                         WHERE i.id = r.invoice_id AND i.state <> 'cancel'))
                """
            ),
        )
        billed_open = self._ratings(
            scope,
            SQL("'0' AS expected, trim_scale(r.amount)::text AS found"),
            SQL(
                """
                r.state = 'open' AND (r.invoice_line_id IS NOT NULL
                                      OR r.invoice_id IS NOT NULL)
                """
            ),
        )
        wrong = self._judged(scope)
        return len(wrong), [
            self._kept("line_amount", wrong),
            self._found("billed_nowhere", nowhere),
            self._found("open_but_billed", billed_open),
        ]

    def _judged(self, scope):
        """Where posted documents and the ledger disagree about a rating.

        Reads only the lines that were edited or credited: a line that was billed as it
        was rated, and then left alone, has nothing to disagree about.

        :return: list of (kind of violation, row)
        """
        wrong = []
        for row in self.env.execute_query_dict(self._special_lines(scope)):
            wrong += _judge(row)
        return wrong

    def _special_lines(self, scope):
        signed = SQL("round(%s, c.decimal_places)", _SIGNED)
        return SQL(
            """
            WITH RECURSIVE rated AS (
                SELECT r.id, l.id AS line_id, l.move_id
                  FROM fusion_billing_rating r
                  JOIN sale_order o ON o.id = r.subscription_id
                  JOIN account_move_line l ON l.id = r.invoice_line_id
                 WHERE %(scope)s
                   AND EXISTS (SELECT FROM account_move_line copy
                                WHERE copy.fc_copied_from_id = l.id)
            ), tree AS (
                SELECT rated.id AS rating_id, l.id AS top_id, l.id, l.move_id
                  FROM rated
                  JOIN account_move_line l ON l.fc_copied_from_id = rated.line_id
                  JOIN account_move i
                    ON i.id = l.move_id AND i.state = 'posted'
                   AND i.reversed_entry_id = rated.move_id
                 UNION ALL
                SELECT tree.rating_id, tree.top_id, l.id, l.move_id
                  FROM tree
                  JOIN account_move_line l ON l.fc_copied_from_id = tree.id
                  JOIN account_move i
                    ON i.id = l.move_id AND i.state = 'posted'
                   AND i.reversed_entry_id = tree.move_id
            ), net AS (
                SELECT tree.rating_id, tree.top_id, sum(%(signed)s) AS amount
                  FROM tree
                  JOIN account_move_line l ON l.id = tree.id
                  JOIN account_move i ON i.id = l.move_id
                  JOIN res_currency c ON c.id = l.currency_id
                 GROUP BY tree.rating_id, tree.top_id
            ), credits AS (
                SELECT net.rating_id, array_agg(
                           ARRAY[(-net.amount)::text,
                                 (i.move_type = 'out_refund'
                                  AND coalesce(i.fc_bill_again, FALSE))::text]
                           ORDER BY net.top_id) AS parts
                  FROM net
                  JOIN account_move_line l ON l.id = net.top_id
                  JOIN account_move i ON i.id = l.move_id
                 GROUP BY net.rating_id
            ), adjusted AS (
                SELECT rating_id, sum(forgiven) AS forgiven
                  FROM fusion_billing_adjustment GROUP BY rating_id
            )
            SELECT r.subscription_id, r.metric_id, r.charge_id, r.window_start,
                   r.window_end, r.id AS rating_id, i.id AS move_id, r.state,
                   r.amount::text, (%(put)s)::text AS put, %(signed)s::text AS signed,
                   c.rounding::text AS rounding,
                   i.state AS move_state, credits.parts,
                   coalesce(adjusted.forgiven, 0)::text AS forgiven
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
              JOIN account_move_line l ON l.id = r.invoice_line_id
              JOIN account_move i ON i.id = l.move_id
              JOIN res_currency c ON c.id = r.currency_id
              LEFT JOIN credits ON credits.rating_id = r.id
              LEFT JOIN adjusted ON adjusted.rating_id = r.id
             WHERE %(scope)s AND r.state <> 'open' AND i.state <> 'cancel'
               AND (r.state = 'released' OR credits.parts IS NOT NULL
                    OR adjusted.forgiven IS NOT NULL
                    OR %(signed)s <> round(%(put)s, c.decimal_places))
            """,
            scope=scope,
            signed=signed,
            put=_PUT,
        )


def _judge(row):
    """List of (kind of violation, row) about the posted line of one rating."""
    step = money.to_decimal(row["rounding"])
    amount, put = Decimal(row["amount"]), Decimal(row["put"])

    is_posted = row["move_state"] == "posted"
    charged = in_ledger(Decimal(row["signed"]), amount, put, step)
    parts = [
        CreditPart(in_ledger(Decimal(credited), amount, put, step), again == "true")
        for credited, again in row["parts"] or ()
    ]
    verdict = judge_credits(charged, parts)
    is_released = verdict.released_by is not None
    found, text = [], money.format_decimal

    def tell(kind, expected, present):
        told = {**row, "expected": text(expected), "found": text(present)}
        found.append((kind, told))

    counted = charged if is_released else sum(verdict.forgiven)
    beyond = sum(part.amount for part in parts) - counted
    if beyond:
        tell("credited_by_hand", Decimal(0), -beyond)
    if row["state"] == "released":
        if is_posted and amount and not is_released:
            tell("released_but_posted", Decimal(0), charged)
        return found
    if is_released:
        tell("credited_but_counted", Decimal(0), amount)
        return found
    left = charged - sum(verdict.forgiven)
    ledger = amount - Decimal(row["forgiven"])
    if left != ledger:
        tell("line_amount", ledger, left)
    return found
