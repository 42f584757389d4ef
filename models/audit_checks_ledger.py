from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ..engine.billing import money
from ..engine.billing.pricing import PriceTerms, price
from .audit_checks import KEPT

# Subscriptions whose windows are priced again at once.
BATCH = 1000

# What an invoice line bills, below zero on a credit note.
_BILLED = SQL(
    """
    round(l.price_unit * l.quantity * (1 - coalesce(l.discount, 0) / 100)
          * CASE WHEN i.move_type = 'out_refund' THEN -1 ELSE 1 END, c.decimal_places)
    """
)

# The price that an explanation was made with; rows of before had no tiers.
_TERMS = SQL(
    """
    concat_ws(' / ', x.explanation->>'model', x.explanation->>'quota',
              x.explanation->>'unit_price', x.explanation->>'unit_batch',
              nullif(x.explanation->>'tiers', '[]'),
              nullif(x.explanation->>'minimum', '0'))
    """
)


class FusionBillingAudit(models.Model):
    """I3 to I7: the ledger in itself, and against lines and invoices."""

    _inherit = "fusion.billing.audit"

    # -- I3: billed once -------------------------------------------------------

    def _check_i3(self, scope):
        return self._count_windows(scope), [
            *self._double_charges(scope),
            self._found("line_copied", self._copied_lines(scope)),
            self._found("line_without_rating", self._lines_without_rating(scope)),
            self._found("released_but_posted", self._released_but_posted(scope)),
        ]

    def _double_charges(self, scope):
        return [
            self._found(
                "billed_by_two_charges",
                self._overlaps(scope, SQL("b.charge_id > a.charge_id")),
            )
        ]

    def _overlaps(self, scope, which):
        """Windows ``a`` and ``b`` of one metric that share time, and both cost.

        One of them alone costs where a price was replaced: the other is superseded,
        or came to nothing.

        :param SQL which: what pairs them
        """
        return SQL(
            """
            WITH %s
            SELECT b.subscription_id, b.metric_id, b.charge_id, b.id AS rating_id,
                   b.invoice_id AS move_id,
                   greatest(a.window_start, b.window_start) AS window_start,
                   least(a.window_end, b.window_end) AS window_end,
                   trim_scale(a.live)::text AS expected,
                   trim_scale(a.live + b.live)::text AS found
              FROM settled a
              JOIN settled b
                ON b.subscription_id = a.subscription_id AND b.metric_id = a.metric_id
               AND b.window_start < a.window_end AND a.window_start < b.window_end
             WHERE %s AND a.live <> 0 AND b.live <> 0
               AND NOT a.superseded AND NOT b.superseded
            """,
            self._ledger(scope),
            which,
        )

    def _copied_lines(self, scope):
        """Posted copies of a usage line that bill it again, with no credit for it."""
        return SQL(
            """
            SELECT r.subscription_id, r.metric_id, r.charge_id, r.window_start,
                   r.window_end, r.id AS rating_id, min(l.move_id) AS move_id,
                   trim_scale(r.amount)::text AS expected,
                   trim_scale(r.amount + sum(%s))::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
              JOIN account_move_line l ON l.fc_copied_from_id = r.invoice_line_id
              JOIN account_move i ON i.id = l.move_id AND i.state = 'posted'
              JOIN res_currency c ON c.id = l.currency_id
             WHERE r.state = 'invoiced' AND %s
               AND NOT EXISTS (SELECT FROM fusion_billing_rating own
                                WHERE own.invoice_line_id = l.id
                                  AND own.state = 'invoiced')
             GROUP BY r.id
            HAVING sign(sum(%s)) = sign(r.amount)
            """,
            _BILLED,
            scope,
            _BILLED,
        )

    def _lines_without_rating(self, scope):
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
             WHERE i.state = 'posted' AND i.move_type = 'out_invoice'
               AND i.reversed_entry_id IS NULL AND l.fc_copied_from_id IS NULL
               AND l.price_subtotal <> 0 AND %s
               AND NOT EXISTS (SELECT FROM fusion_billing_rating r
                                WHERE r.invoice_line_id = l.id)
            """,
            _BILLED,
            scope,
        )

    def _released_but_posted(self, scope):
        return SQL(
            """
            SELECT r.subscription_id, r.metric_id, r.charge_id, r.window_start,
                   r.window_end, r.id AS rating_id, i.id AS move_id,
                   '0' AS expected, trim_scale(r.amount)::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
              JOIN account_move i ON i.id = r.invoice_id AND i.state = 'posted'
              LEFT JOIN account_move credit
                ON credit.id = r.released_by_id AND credit.state = 'posted'
             WHERE r.state = 'released' AND credit.id IS NULL AND r.amount <> 0 AND %s
            """,
            scope,
        )

    # -- I4: what was posted does not change -----------------------------------

    def _check_i4(self, scope):
        rating = SQL(
            """
            r.subscription_id, r.metric_id, r.charge_id, r.window_start,
            r.window_end, r.id AS rating_id, r.invoice_id AS move_id
            """
        )
        amount = SQL(
            """
            SELECT %s, trim_scale(e.amount)::text AS expected,
                   trim_scale(r.amount)::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
             CROSS JOIN LATERAL (
                   SELECT (r.explanation->>'rounded')::numeric
                          - coalesce((r.explanation->>'billed')::numeric, 0) AS amount
                   ) e
             WHERE e.amount <> r.amount AND %s
            """,
            rating,
            scope,
        )
        quantity = SQL(
            """
            SELECT %s, r.explanation->>'quantity' AS expected,
                   trim_scale(r.quantity)::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
             WHERE (r.explanation->>'quantity')::numeric <> r.quantity AND %s
            """,
            rating,
            scope,
        )
        # An invoiced window keeps its price, unless its invoice was taken back.
        terms = SQL(
            """
            SELECT %s, billed.terms AS expected, r.terms AS found
              FROM (SELECT x.*, %s AS terms
                      FROM fusion_billing_rating x WHERE x.state = 'open') r
              JOIN sale_order o ON o.id = r.subscription_id
             CROSS JOIN LATERAL (
                   SELECT x.terms FROM (SELECT x.*, %s AS terms
                                          FROM fusion_billing_rating x) x
                    WHERE x.subscription_id = r.subscription_id
                      AND x.charge_id = r.charge_id
                      AND x.window_start = r.window_start AND x.state = 'invoiced'
                      AND (x.amount <> 0 OR NOT x.explanation ? 'billed_by')
                    ORDER BY x.revision DESC LIMIT 1) billed
             WHERE billed.terms <> r.terms AND %s
            """,
            rating,
            _TERMS,
            _TERMS,
            scope,
        )
        count = self._count(
            SQL(
                """
                SELECT (SELECT count(*) FROM fusion_billing_usage u
                          JOIN sale_order o ON o.id = u.subscription_id WHERE %s)
                     + (SELECT count(*) FROM fusion_billing_rating r
                          JOIN sale_order o ON o.id = r.subscription_id WHERE %s)
                """,
                scope,
                scope,
            )
        )
        return count, [
            self._found("event_changed", self._changed_events(scope)),
            self._found("rating_amount_changed", amount),
            self._found("rating_quantity_changed", quantity),
            self._found("terms_changed", terms),
        ]

    # -- I5: windows follow each other -----------------------------------------

    def _check_i5(self, scope):
        return self._count_windows(scope), [
            *self._double_windows(scope),
            self._found("in_a_gap", self._unflagged(scope, between=True)),
        ]

    def _double_windows(self, scope):
        return [
            self._found(
                "windows_overlap",
                self._overlaps(
                    scope,
                    SQL(
                        "b.charge_id = a.charge_id AND b.window_start > a.window_start"
                    ),
                ),
            )
        ]

    # -- I6: amount = price of the quantity, rounded once ----------------------

    def _check_i6(self, scope):
        lines = SQL(
            """
            SELECT r.subscription_id, r.metric_id, r.charge_id, r.window_start,
                   r.window_end, r.id AS rating_id, i.id AS move_id,
                   trim_scale(r.amount)::text AS expected,
                   trim_scale(%s)::text AS found
              FROM (SELECT invoice_line_id, min(id) AS id, sum(amount) AS amount,
                           min(subscription_id) AS subscription_id,
                           min(metric_id) AS metric_id, min(charge_id) AS charge_id,
                           min(window_start) AS window_start,
                           max(window_end) AS window_end
                      FROM fusion_billing_rating
                     WHERE state = 'invoiced' AND invoice_line_id IS NOT NULL
                     GROUP BY invoice_line_id) r
              JOIN sale_order o ON o.id = r.subscription_id
              JOIN account_move_line l ON l.id = r.invoice_line_id
              JOIN account_move i ON i.id = l.move_id AND i.state = 'posted'
              JOIN res_currency c ON c.id = l.currency_id
             WHERE r.amount <> %s AND %s
            """,
            _BILLED,
            _BILLED,
            scope,
        )
        nowhere = SQL(
            """
            SELECT r.subscription_id, r.metric_id, r.charge_id, r.window_start,
                   r.window_end, r.id AS rating_id, r.invoice_id AS move_id,
                   trim_scale(r.amount)::text AS expected, '0' AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
              LEFT JOIN account_move i ON i.id = r.invoice_id
             WHERE r.state = 'invoiced' AND r.amount <> 0 AND %s
               AND (r.invoice_line_id IS NULL OR i.id IS NULL OR i.state = 'cancel')
            """,
            scope,
        )
        return self._count_windows(scope), [
            self._wrong_prices(scope),
            self._found("line_amount", lines),
            self._found("billed_nowhere", nowhere),
        ]

    def _wrong_prices(self, scope):
        """Windows whose rows do not sum up to the price of their quantity.

        Priced by the engine, from the terms that the latest row notes, a thousand
        subscriptions at a time. Where all was given back the price of today counts.
        """
        after, wrong, total = 0, [], 0
        Charge = self.env["fusion.billing.charge"].sudo()
        today = Charge.with_context(active_test=False).search([])._price_terms()
        while True:
            batch = [
                order_id
                for [order_id] in self.env.execute_query(
                    SQL(
                        """
                        SELECT DISTINCT r.subscription_id
                          FROM fusion_billing_rating r
                          JOIN sale_order o ON o.id = r.subscription_id
                         WHERE r.subscription_id > %s AND %s
                         ORDER BY 1 LIMIT %s
                        """,
                        after,
                        scope,
                        BATCH,
                    )
                )
            ]
            if not batch:
                return "amount", wrong, total
            for row in self.env.execute_query_dict(
                SQL(
                    """
                    WITH %s
                    SELECT s.subscription_id, s.metric_id, s.charge_id,
                           s.window_start, s.window_end, s.id AS rating_id,
                           s.invoice_id AS move_id, s.explanation,
                           s.quantity::text AS quantity, s.superseded,
                           s.state <> 'open' AND NOT s.agreed AS given_back,
                           c.rounding::text AS rounding, s.live::text AS found
                      FROM settled s JOIN res_currency c ON c.id = s.currency_id
                    """,
                    self._ledger(SQL("o.id = ANY(%s)", batch)),
                )
            ):
                terms = today[row["charge_id"]] if row["given_back"] else None
                expected = _window_price(row, terms)
                if expected != Decimal(row["found"]):
                    total += 1
                    if len(wrong) < KEPT:
                        row["expected"] = money.format_decimal(expected)
                        row["found"] = money.format_decimal(Decimal(row["found"]))
                        wrong.append(row)
            after = batch[-1]

    # -- I7: running twice is running once -------------------------------------

    def _check_i7(self, scope):
        key = SQL("r.subscription_id, r.charge_id, r.window_start")
        revisions = SQL(
            """
            SELECT %s, min(r.metric_id) AS metric_id, max(r.window_end) AS window_end,
                   max(r.id) AS rating_id,
                   (max(r.revision) + 1)::text AS expected, count(*)::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
             WHERE %s
             GROUP BY %s
            HAVING count(*) <> max(r.revision) + 1 OR min(r.revision) <> 0
                OR count(DISTINCT r.revision) <> count(*)
            """,
            key,
            scope,
            key,
        )
        open_rows = SQL(
            """
            SELECT %s, min(r.metric_id) AS metric_id, max(r.window_end) AS window_end,
                   max(r.id) AS rating_id, '1' AS expected, count(*)::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
             WHERE r.state = 'open' AND %s
             GROUP BY %s HAVING count(*) > 1
            """,
            key,
            scope,
            key,
        )
        order_lines = SQL(
            """
            SELECT * FROM (
                SELECT o.id AS subscription_id, charge.id AS charge_id,
                       charge.metric_id, r.rating_id,
                       trim_scale(coalesce(r.amount, 0))::text AS expected,
                       trim_scale(round(coalesce(ol.price_unit, 0)::numeric,
                                        c.decimal_places))::text AS found
                  FROM (SELECT subscription_id, charge_id, sum(amount) AS amount,
                               max(id) AS rating_id
                          FROM fusion_billing_rating WHERE state = 'open'
                         GROUP BY subscription_id, charge_id) r
                  FULL JOIN (SELECT order_id, fc_charge_id, price_unit
                               FROM sale_order_line
                              WHERE fc_charge_id IS NOT NULL) ol
                    ON ol.order_id = r.subscription_id
                   AND ol.fc_charge_id = r.charge_id
                  JOIN sale_order o ON o.id = coalesce(r.subscription_id, ol.order_id)
                  JOIN fusion_billing_charge charge
                    ON charge.id = coalesce(r.charge_id, ol.fc_charge_id)
                  JOIN res_currency c ON c.id = o.currency_id
                 WHERE %s AND NOT EXISTS (SELECT FROM fusion_billing_rating_queue q
                                           WHERE q.subscription_id = o.id)
            ) f WHERE f.expected::numeric <> f.found::numeric
            """,
            scope,
        )
        return self._count_windows(scope), [
            self._found("two_open", open_rows),
            self._found("revisions", revisions),
            self._found("order_line", order_lines),
        ]


def _window_price(row, terms=None):
    """What the latest row's quantity costs (Decimal), rounded once.

    :param PriceTerms terms: the price; None: the one that the row notes
    """
    if row["superseded"]:
        return Decimal(0)
    explanation = row["explanation"]
    terms = terms or PriceTerms.from_dict(explanation)
    amount = price(terms, Decimal(row["quantity"])).amount
    if rate := explanation.get("conversion_rate"):
        amount = money.EXACT.multiply(amount, money.to_decimal(rate))
    return money.round_amount(amount, money.to_decimal(row["rounding"]))
