from odoo import models
from odoo.tools import SQL


class FusionBillingAuditWindows(models.AbstractModel):
    """I5: the windows of a subscription and its renewals follow each other.

    The database refuses overlaps; a constraint can be dropped, a row be deleted.
    """

    _name = "fusion.billing.audit.windows"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of Billing Windows"

    def _check_i5(self, scope):
        count = self._count(
            SQL(
                """
                SELECT count(*) FROM fusion_billing_window w
                  JOIN sale_order o ON o.id = w.subscription_id WHERE %s
                """,
                scope,
            )
        )
        return count, [
            *self._not_in_order(scope),
            self._found("window_root", self._other_chain(scope)),
            self._found("window_days", self._other_days(scope)),
            self._found("window_rated", self._other_bounds(scope)),
            self._found("window_opened", self._opened(scope)),
            self._found("window_skipped", self._skipped(scope)),
        ]

    # -- one after the other ---------------------------------------------------

    def _not_in_order(self, scope):
        pairs = SQL(
            """
            WITH ordered AS (
                SELECT w.*, max(w."end") OVER (
                           PARTITION BY w.root_id ORDER BY w.start, w."end"
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                  FROM fusion_billing_window w
                  JOIN sale_order o ON o.id = w.subscription_id
                 WHERE w.root_id IN (
                       SELECT x.root_id FROM fusion_billing_window x
                         JOIN sale_order o ON o.id = x.subscription_id WHERE %s)
            )
            """,
            scope,
        )
        overlap = SQL(
            """
            %s SELECT subscription_id, start AS window_start,
                      least(before, "end") AS window_end, before::text AS expected,
                      start::text AS found
                 FROM ordered WHERE start < before
            """,
            pairs,
        )
        gap = SQL(
            """
            %s SELECT subscription_id, before AS window_start, start AS window_end,
                      before::text AS expected, start::text AS found
                 FROM ordered WHERE start > before
            """,
            pairs,
        )
        return [
            self._found("windows_overlap", overlap),
            self._found("windows_apart", gap),
        ]

    def _other_chain(self, scope):
        """Windows that are said to be of another chain of renewals.

        There the database could not refuse an overlap.
        """
        return SQL(
            """
            WITH RECURSIVE chain AS (
                SELECT o.id, o.id AS at, 0 AS depth
                  FROM sale_order o
                 WHERE o.id IN (SELECT subscription_id FROM fusion_billing_window)
                   AND %s
                 UNION ALL
                SELECT chain.id, parent.id, chain.depth + 1
                  FROM chain
                  JOIN sale_order x ON x.id = chain.at
                  JOIN sale_order parent
                    ON parent.id = x.subscription_id AND parent.is_subscription
                 WHERE chain.depth < 1000
            ), root AS (
                SELECT DISTINCT ON (id) id, at FROM chain ORDER BY id, depth DESC
            )
            SELECT w.subscription_id, w.start AS window_start, w."end" AS window_end,
                   r.name AS expected, other.name AS found
              FROM fusion_billing_window w
              JOIN root ON root.id = w.subscription_id
              JOIN sale_order r ON r.id = root.at
              JOIN sale_order other ON other.id = w.root_id
             WHERE w.root_id <> root.at
            """,
            scope,
        )

    # -- where they begin and end ----------------------------------------------

    def _other_days(self, scope):
        """Windows whose end is not the beginning of the day it is said to be.

        In the time zone it was cut in, or another one that its company has had.
        """
        return SQL(
            """
            WITH zone AS (
                SELECT DISTINCT company_id, tz FROM fusion_billing_window
                 UNION
                SELECT id, coalesce(fc_billing_tz, 'UTC') FROM res_company
            )
            SELECT w.subscription_id, w.start AS window_start, w."end" AS window_end,
                   w.end_day::text AS expected, w."end"::text AS found
              FROM fusion_billing_window w
              JOIN sale_order o ON o.id = w.subscription_id
             WHERE %s
               AND (NOT EXISTS (
                        SELECT FROM zone
                         WHERE zone.company_id = w.company_id
                           AND abs(extract(epoch FROM
                               w.end_day::timestamp AT TIME ZONE zone.tz
                               AT TIME ZONE 'UTC' - w."end")) <= 3600)
                    OR abs(extract(epoch FROM w.first_day::timestamp - w.start))
                       > 15 * 3600)
            """,
            scope,
        )

    def _other_bounds(self, scope):
        """Windows that are not those of their ratings.

        The start of one that was rated stays; it can be cut, by an end or another
        plan, and never becomes longer than it was when it was billed.
        """
        return SQL(
            """
            SELECT DISTINCT ON (r.window_id) %s, r.window_start || ' - '
                   || r.window_end AS expected, w.start || ' - ' || w."end" AS found
              FROM fusion_billing_rating r
              JOIN fusion_billing_window w ON w.id = r.window_id
              JOIN sale_order o ON o.id = r.subscription_id
             WHERE (r.window_start <> w.start
                    OR CASE WHEN r.state = 'open' THEN r.window_end <> w."end"
                       ELSE r.window_end < w."end" END)
               AND %s
             ORDER BY r.window_id, r.id DESC
            """,
            self._rating_columns(),
            scope,
        )

    # -- settled once, settled for good ----------------------------------------

    def _opened(self, scope):
        """Windows that do not count as settled, although something of them is billed.

        Or the other way round: settled, and at no time.
        """
        return SQL(
            """
            SELECT w.subscription_id, w.start AS window_start, w."end" AS window_end,
                   w.invoice_id AS move_id
              FROM fusion_billing_window w
              JOIN sale_order o ON o.id = w.subscription_id
             WHERE %s
               AND CASE WHEN w.is_settled THEN w.settled_at IS NULL
                   ELSE EXISTS (SELECT FROM fusion_billing_window_charge a
                                 WHERE a.window_id = w.id AND a.state = 'settled'
                                   AND w.kind = 'billing')
                        OR (w.settled_at IS NULL AND EXISTS (
                            SELECT FROM fusion_billing_rating r
                             WHERE r.window_id = w.id AND r.state <> 'open'))
                        OR (w.settled_at IS NOT NULL AND EXISTS (
                            SELECT FROM account_move i
                             WHERE i.id = w.invoice_id AND i.state = 'posted'
                               AND NOT EXISTS (
                                   SELECT FROM fusion_billing_window_charge a
                                    WHERE a.window_id = w.id)))
                   END
            """,
            scope,
        )

    def _skipped(self, scope):
        """Windows that were never billed, although a later one of the order was."""
        return SQL(
            """
            SELECT w.subscription_id, w.start AS window_start, w."end" AS window_end
              FROM fusion_billing_window w
              JOIN sale_order o ON o.id = w.subscription_id
             WHERE w.kind = 'billing' AND w.is_settled IS NOT TRUE
               AND w.settled_at IS NULL AND %s
               AND EXISTS (SELECT FROM fusion_billing_window later
                            WHERE later.subscription_id = w.subscription_id
                              AND later.start >= w."end" AND later.is_settled
                              AND later.kind = 'billing'
                              AND later.partner_id = w.partner_id
                              AND later.currency_id = w.currency_id)
            """,
            scope,
        )
