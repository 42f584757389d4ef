from odoo import models
from odoo.tools import SQL


class FusionBillingAuditLedger(models.AbstractModel):
    """I3, I4 and I7: agreements and their revisions, in themselves."""

    _name = "fusion.billing.audit.ledger"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of the Ledger"

    # -- I3: billed once -------------------------------------------------------

    def _check_i3(self, scope):
        return self._count_rated(scope), self._billed_twice(scope)

    def _billed_twice(self, scope):
        """Revisions of one window that do not take off what the other charged.

        And metrics that have two prices in one window.
        """
        pairs = SQL(
            """
            SELECT %s, trim_scale(other.amount)::text AS expected,
                   trim_scale(other.amount + r.amount)::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
              JOIN fusion_billing_rating other
                ON other.agreement_id = r.agreement_id AND other.state = 'invoiced'
               AND other.revision < r.revision AND other.amount <> 0
             WHERE r.state = 'invoiced' AND r.amount <> 0
               AND (r.counted @> to_jsonb(other.revision)) IS NOT TRUE
               AND (other.counted @> to_jsonb(r.revision)) IS NOT TRUE AND %s
            """,
            self._rating_columns(),
            scope,
        )
        prices = SQL(
            """
            SELECT a.subscription_id, a.metric_id, max(a.charge_id) AS charge_id,
                   w.start AS window_start, w."end" AS window_end, '1' AS expected,
                   count(*)::text AS found
              FROM fusion_billing_window_charge a
              JOIN fusion_billing_window w ON w.id = a.window_id
              JOIN sale_order o ON o.id = a.subscription_id
             WHERE %s
             GROUP BY a.subscription_id, a.metric_id, w.id HAVING count(*) > 1
            """,
            scope,
        )
        return [
            self._found("billed_twice", pairs),
            self._found("two_prices", prices),
        ]

    # -- I4: what was rated does not change ------------------------------------

    def _check_i4(self, scope):
        x = SQL("r.explanation")
        amount = SQL(
            "coalesce((%(x)s->>'charged_in_all')::numeric,"
            " (%(x)s->>'rounded')::numeric)"
            " - coalesce((%(x)s->>'billed')::numeric, 0)",
            x=x,
        )
        quantities = SQL(
            "concat_ws(' / ', (%(x)s->>'quantity')::numeric,"
            " (%(x)s->>'included')::numeric, (%(x)s->>'billable')::numeric)",
            x=x,
        )
        stored = SQL(
            "concat_ws(' / ', trim_scale(r.quantity), trim_scale(r.included),"
            " trim_scale(r.billable))"
        )
        count = self._count(
            SQL(
                "SELECT count(*) FROM fusion_billing_rating r"
                "  JOIN sale_order o ON o.id = r.subscription_id WHERE %s",
                scope,
            )
        )
        return count, [
            self._found(
                "rating_amount_changed",
                self._ratings(
                    scope,
                    SQL(
                        "trim_scale(%s)::text AS expected,"
                        " trim_scale(r.amount)::text AS found",
                        amount,
                    ),
                    SQL("%s <> r.amount", amount),
                ),
            ),
            self._found(
                "rating_quantity_changed",
                self._ratings(
                    scope,
                    SQL("%s AS expected, %s AS found", quantities, stored),
                    SQL(
                        "(%(x)s->>'quantity')::numeric <> r.quantity"
                        " OR (%(x)s->>'included')::numeric <> r.included"
                        " OR (%(x)s->>'billable')::numeric <> r.billable",
                        x=x,
                    ),
                ),
            ),
            self._found("rating_terms_changed", self._other_terms(scope)),
            self._found("agreement_changed", self._changed_agreements(scope)),
            self._found("rating_missing", self._without_rating(scope)),
            self._found("agreement_opened", self._opened(scope)),
        ]

    def _other_terms(self, scope):
        """Ratings whose price is not the one that their arithmetic was made with."""
        rates = SQL(
            """
            (r.explanation ? 'rates' AND (
                (r.explanation->'rates'->>0)::numeric IS DISTINCT FROM r.rate_from
                OR (r.explanation->'rates'->>1)::numeric IS DISTINCT FROM r.rate_to))
            """
        )
        return self._ratings(
            scope,
            SQL(
                "concat_ws(' / ', r.explanation->>'model', r.explanation->>'quota',"
                " r.explanation->>'unit_price', r.explanation->>'unit_batch',"
                " r.explanation->'rates') AS expected,"
                " concat_ws(' / ', r.terms->>'model', r.terms->>'quota',"
                " r.terms->>'unit_price', r.terms->>'unit_batch',"
                " r.rate_from, r.rate_to) AS found"
            ),
            SQL("NOT r.explanation @> r.terms OR %s", rates),
        )

    def _changed_agreements(self, scope):
        """Settled agreements whose price is not that of the rating that billed them.

        Not where that rating was taken back, and so counts no more.
        """
        # Time that turned out to be a gap costs nothing; what was agreed is kept.
        same = SQL(
            """
            (r.terms IS NOT DISTINCT FROM a.terms OR r.terms IS NULL AND EXISTS (
                SELECT FROM fusion_billing_window w
                 WHERE w.id = a.window_id AND w.kind = 'gap'))
            AND r.charge_id = a.charge_id AND r.product_id = a.product_id
            AND r.charge_currency_id = a.charge_currency_id
            AND r.rate_from IS NOT DISTINCT FROM a.rate_from
            AND r.rate_to IS NOT DISTINCT FROM a.rate_to
            AND coalesce(r.discount, 0) = coalesce(a.discount, 0)
            """
        )
        return SQL(
            """
            SELECT a.subscription_id, a.metric_id, a.charge_id,
                   r.window_start, r.window_end, r.id AS rating_id,
                   r.invoice_id AS move_id, coalesce(r.terms::text, '') AS expected,
                   coalesce(a.terms::text, '') AS found
              FROM fusion_billing_window_charge a
              JOIN sale_order o ON o.id = a.subscription_id
             CROSS JOIN LATERAL (
                   SELECT * FROM fusion_billing_rating x
                    WHERE x.agreement_id = a.id AND x.state <> 'released'
                    ORDER BY x.revision DESC LIMIT 1) r
             WHERE a.state = 'settled' AND %s
               AND NOT EXISTS (
                       SELECT FROM fusion_billing_rating r
                        WHERE r.agreement_id = a.id AND r.state <> 'released'
                          AND %s)
            """,
            scope,
            same,
        )

    def _without_rating(self, scope):
        """Settled agreements of which no rating says what their window came to.

        One that was credited, and is to be billed again as it was, is rated by the next
        run.
        """
        return SQL(
            """
            SELECT a.subscription_id, a.metric_id, a.charge_id,
                   w.start AS window_start, w."end" AS window_end,
                   w.invoice_id AS move_id
              FROM fusion_billing_window_charge a
              JOIN fusion_billing_window w ON w.id = a.window_id
              JOIN sale_order o ON o.id = a.subscription_id
             WHERE a.state = 'settled' AND %s
               AND NOT EXISTS (SELECT FROM fusion_billing_rating r
                                WHERE r.agreement_id = a.id AND r.state <> 'released')
               AND NOT (EXISTS (SELECT FROM fusion_billing_rating r
                                 WHERE r.agreement_id = a.id
                                   AND r.released_by_id IS NOT NULL)
                        AND EXISTS (SELECT FROM fusion_billing_rating_queue q
                                     WHERE q.subscription_id = a.subscription_id))
            """,
            scope,
        )

    def _opened(self, scope):
        """Agreements of settled windows that are open, though nothing has opened them.

        An agreement is opened when what billed it is taken back; that rating is kept,
        and so shows the reason.
        """
        return SQL(
            """
            SELECT a.subscription_id, a.metric_id, a.charge_id,
                   w.start AS window_start, w."end" AS window_end,
                   w.invoice_id AS move_id
              FROM fusion_billing_window_charge a
              JOIN fusion_billing_window w ON w.id = a.window_id
              JOIN sale_order o ON o.id = a.subscription_id
             WHERE a.state = 'open' AND w.is_settled AND w.kind = 'billing' AND %s
               AND NOT EXISTS (SELECT FROM fusion_billing_rating r
                                WHERE r.agreement_id = a.id AND r.state = 'released')
            """,
            scope,
        )

    # -- I7: running twice is running once -------------------------------------

    def _check_i7(self, scope):
        columns = SQL(
            """
            r.agreement_id, min(r.subscription_id) AS subscription_id,
            min(r.metric_id) AS metric_id, min(r.charge_id) AS charge_id,
            min(r.window_start) AS window_start, max(r.window_end) AS window_end,
            max(r.id) AS rating_id
            """
        )
        revisions = SQL(
            """
            SELECT %s, (max(r.revision) + 1)::text AS expected,
                   count(*)::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
             WHERE %s
             GROUP BY r.agreement_id
            HAVING count(*) <> max(r.revision) + 1 OR min(r.revision) <> 0
                OR count(DISTINCT r.revision) <> count(*)
            """,
            columns,
            scope,
        )
        open_rows = SQL(
            """
            SELECT %s, '1' AS expected, count(*)::text AS found
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
             WHERE r.state = 'open' AND %s
             GROUP BY r.agreement_id HAVING count(*) > 1
            """,
            columns,
            scope,
        )
        return self._count_rated(scope), [
            self._found("two_open", open_rows),
            self._found("revisions", revisions),
            self._found("counted", self._wrongly_counted(scope)),
            self._found("order_line", self._other_order_lines(scope)),
        ]

    def _wrongly_counted(self, scope):
        """Open revisions that do not count exactly what was charged."""
        return SQL(
            """
            WITH %s
            SELECT * FROM (
                SELECT k.subscription_id, k.metric_id, k.charge_id, k.window_start,
                       k.window_end, k.rating_id, k.counted::text AS found, (
                           SELECT coalesce(jsonb_agg(r.revision ORDER BY r.revision),
                                           '[]')::text
                             FROM fusion_billing_rating r
                            WHERE r.agreement_id = k.agreement_id
                              AND r.state = 'invoiced' AND r.amount <> 0) AS expected
                  FROM known k WHERE k.state = 'open'
            ) f WHERE f.found IS DISTINCT FROM f.expected
            """,
            self._ledger(scope),
        )

    def _other_order_lines(self, scope):
        """Usage lines of orders that do not show what the next invoice will bill.

        Net amounts where a fiscal position has adapted the price; to a cent, as taxes
        are taken out of either. What a former customer still owes, or in a former
        currency, is billed apart, and the line shows none of it.
        """
        return SQL(
            """
            WITH next AS (
                SELECT r.subscription_id, r.charge_id, sum(r.amount) AS amount,
                       sum(r.amount_untaxed) AS untaxed, max(r.id) AS rating_id
                  FROM fusion_billing_rating r
                  JOIN sale_order o ON o.id = r.subscription_id
                  JOIN fusion_billing_window w ON w.id = r.window_id
                 WHERE r.state = 'open' AND %(scope)s
                   AND (o.state <> 'sale' OR o.subscription_state <> '3_progress'
                        OR ((w.settled_at IS NULL
                             OR (w.currency_id, w.partner_id)
                                = (o.currency_id, o.partner_id))
                            AND (o.next_invoice_date IS NULL
                                 OR w.end_day <= o.next_invoice_date
                                 OR w.settled_at IS NOT NULL)))
                 GROUP BY r.subscription_id, r.charge_id
            )
            SELECT * FROM (
                SELECT o.id AS subscription_id, charge.id AS charge_id,
                       charge.metric_id, n.rating_id,
                       o.fiscal_position_id IS NOT NULL AS is_adapted, c.rounding,
                       trim_scale(coalesce(
                           CASE WHEN o.fiscal_position_id IS NULL THEN n.amount
                           ELSE n.untaxed END, 0))::text AS expected,
                       trim_scale(round(coalesce(
                           CASE WHEN o.fiscal_position_id IS NULL
                           THEN ol.price_unit * (1 - coalesce(ol.discount, 0) / 100)
                           ELSE ol.price_subtotal END, 0)::numeric,
                           c.decimal_places))::text AS found
                  FROM next n
                  FULL JOIN (SELECT l.* FROM sale_order_line l
                               JOIN sale_order o ON o.id = l.order_id
                              WHERE l.fc_charge_id IS NOT NULL AND %(scope)s) ol
                    ON ol.order_id = n.subscription_id
                   AND ol.fc_charge_id = n.charge_id
                  JOIN sale_order o ON o.id = coalesce(n.subscription_id, ol.order_id)
                  JOIN fusion_billing_charge charge
                    ON charge.id = coalesce(n.charge_id, ol.fc_charge_id)
                  JOIN res_currency c ON c.id = o.currency_id
                 WHERE NOT EXISTS (SELECT FROM fusion_billing_rating_queue q
                                    WHERE q.subscription_id = o.id)
                   AND NOT EXISTS (SELECT FROM fusion_billing_rating x
                                    WHERE x.subscription_id = o.id
                                      AND x.state = 'open'
                                      AND x.currency_id <> o.currency_id)
            ) f
             WHERE abs(f.expected::numeric - f.found::numeric)
                   > CASE WHEN f.is_adapted THEN f.rounding ELSE 0 END
            """,
            scope=scope,
        )
