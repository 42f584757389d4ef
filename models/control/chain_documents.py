from odoo import models
from odoo.tools import SQL


class FusionBillingControlDocuments(models.AbstractModel):
    """What was rated, invoiced and posted, for :class:`FusionBillingControlChain`."""

    _name = "fusion.billing.control.documents"
    _description = "Control Totals: Documents"

    def _billed(self, company, start, end):
        """``money``: what the ledger holds of each window, and the documents."""
        return SQL(
            "%s, %s, by_hand AS (%s)",
            self._booked(),
            self._compared(),
            self._by_hand(company, start, end),
        )

    def _booked(self):
        """``rated``: the ratings; ``booked``: what documents make of each."""
        return SQL(
            """
            rated AS MATERIALIZED (
                SELECT r.id, r.subscription_id, r.metric_id, r.window_id,
                       r.agreement_id, r.revision, r.state, r.quantity, r.amount,
                       r.amount_untaxed, r.line_price, r.invoice_line_id,
                       c.rounding, c.decimal_places,
                       coalesce(x.forgiven, 0) AS forgiven, coalesce(x.edited, 0)
                       AS edited
                  FROM fusion_billing_rating r
                  JOIN wanted w ON w.id = r.window_id
                  JOIN res_currency c ON c.id = r.currency_id
                  LEFT JOIN LATERAL (
                       SELECT sum(a.forgiven) FILTER (
                                  WHERE a.line_id IS DISTINCT FROM r.invoice_line_id)
                              AS forgiven,
                              sum(a.forgiven) FILTER (
                                  WHERE a.line_id = r.invoice_line_id) AS edited
                         FROM fusion_billing_adjustment a
                        WHERE a.rating_id = r.id AND r.state = 'invoiced') x ON TRUE
            ), document AS (
                SELECT r.id AS rating_id, l.id AS line_id, l.move_id
                  FROM rated r JOIN account_move_line l ON l.id = r.invoice_line_id
                 WHERE NOT EXISTS (SELECT FROM fusion_billing_rating x
                                    WHERE x.invoice_line_id = l.id AND x.id < r.id)
                 UNION ALL
                SELECT d.rating_id, l.id, l.move_id
                  FROM document d
                  JOIN account_move_line l ON l.fc_copied_from_id = d.line_id
                  JOIN account_move i
                    ON i.id = l.move_id AND i.reversed_entry_id = d.move_id
                   AND i.state = 'posted'
            ), booked AS (
                SELECT d.rating_id, count(*) AS documents,
                       sum(v.net) FILTER (WHERE l.parent_state = 'draft') AS draft,
                       sum(v.net) FILTER (WHERE l.parent_state = 'posted') AS posted,
                       -sum(l.amount_currency)
                       FILTER (WHERE l.parent_state = 'posted') AS in_currency,
                       -sum(l.balance)
                       FILTER (WHERE l.parent_state = 'posted') AS journal
                  FROM document d
                  JOIN account_move_line l ON l.id = d.line_id
                  JOIN account_move i ON i.id = d.move_id
                 CROSS JOIN LATERAL (
                       SELECT CASE WHEN i.move_type = 'out_refund' THEN -1 ELSE 1 END
                              * l.price_subtotal AS net) v
                 WHERE l.parent_state IN ('draft', 'posted')
                 GROUP BY d.rating_id
            )
            """
        )

    def _compared(self):
        """``money``: a row for each window and metric, with what explains it."""
        return SQL(
            """
            priced AS (
                SELECT r.*, coalesce(b.posted, 0) AS posted,
                       CASE WHEN r.state = 'invoiced' THEN coalesce(b.draft, 0)
                            ELSE 0 END AS draft,
                       coalesce(b.in_currency, 0) AS in_currency,
                       coalesce(b.journal, 0) AS journal,
                       coalesce(b.documents, 0) AS documents, v.charged,
                       CASE WHEN r.amount = 0 THEN 0 ELSE v.charged - round(
                           v.charged * r.amount_untaxed / r.amount, r.decimal_places)
                       END AS tax
                  FROM rated r
                  LEFT JOIN booked b ON b.rating_id = r.id
                 CROSS JOIN LATERAL (
                       SELECT CASE WHEN r.state = 'invoiced'
                                   THEN r.amount - r.forgiven - r.edited ELSE 0 END
                              AS charged) v
            ), compared AS (
                SELECT p.*, p.charged - p.tax - p.draft - p.posted AS left_over,
                       -- A share of an amount, or a price without its tax, has been
                       -- rounded; what was billed as it was rated has not.
                       abs(p.charged - p.tax - p.draft - p.posted)
                       <= p.rounding * p.documents
                       AND (p.tax <> 0 OR p.forgiven <> 0 OR p.edited <> 0
                            OR coalesce(p.line_price, 0) NOT IN (0, p.amount))
                       AS is_rounded
                  FROM priced p
            ), money AS (
                SELECT c.subscription_id, c.metric_id, c.window_id,
                       coalesce(sum(c.amount) FILTER (WHERE c.state <> 'released'), 0)
                       AS rated_amount,
                       coalesce(sum(c.amount) FILTER (WHERE c.state = 'open'), 0)
                       AS open_amount,
                       sum(c.forgiven) AS forgiven_amount, sum(c.edited)
                       AS edited_amount, sum(c.tax) AS tax_amount,
                       coalesce(sum(c.left_over) FILTER (WHERE c.is_rounded), 0)
                       AS rounding_amount,
                       coalesce(sum(c.left_over)
                                FILTER (WHERE NOT c.is_rounded), 0)
                       + sum(c.posted - c.in_currency) AS amount_unexplained,
                       sum(c.draft) AS draft_amount, sum(c.posted) AS posted_amount,
                       sum(c.journal) AS journal_balance,
                       coalesce((array_agg(c.quantity ORDER BY c.revision DESC)
                        FILTER (WHERE c.state <> 'released'))[1], 0) AS quantity
                  FROM compared c
                 GROUP BY c.subscription_id, c.metric_id, c.window_id
            )
            """
        )

    def _by_hand(self, company, start, end):
        """What was charged beside all ratings, by window; else by the date."""
        Check = self.env["fusion.billing.audit.check"]
        Documents = self.env["fusion.billing.audit.documents"]
        scope = Check._scope(company=company)
        return SQL(
            """
            SELECT x.subscription_id, x.metric_id, w.id AS window_id,
                   sum(x.found::numeric) AS amount
              FROM (SELECT * FROM (%s) a UNION ALL SELECT * FROM (%s) b) x
              JOIN account_move i ON i.id = x.move_id
              LEFT JOIN wanted w
                ON w.subscription_id = x.subscription_id AND w.start = x.window_start
             WHERE w.id IS NOT NULL
                OR x.window_start IS NULL AND i.invoice_date >= %s
               AND i.invoice_date < %s
             GROUP BY 1, 2, 3
            """,
            Documents._by_hand(scope, False),
            Documents._by_hand(scope, True),
            start.date(),
            end.date(),
        )
