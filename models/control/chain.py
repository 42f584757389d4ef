from odoo import api, models
from odoo.tools import SQL

from .chain_usage import ADDITIVE, is_moved


class FusionBillingControlChain(models.AbstractModel):
    """The figures of a period, by one query over events, ratings and documents.

    One row for each app, subscription, metric and billing window. A window belongs to
    the period that it ends in, so that every window is in one period and no other;
    usage that lies in no window, to the period that it begins in.
    """

    _name = "fusion.billing.control.chain"
    _description = "Chain of Control Totals"

    @api.model
    def _rows(self, company, start, end):
        """A query of the rows of a period (SQL); its columns are those of a line.

        Every event of the period is read once. Amounts are in the currency of the
        subscription, what the journal says in that of the company.

        :param company: one ``res.company``
        :param start: naive UTC datetime at which the period begins
        :param end: naive UTC datetime at which it has ended
        """
        for model in (
            "fusion.billing.usage",
            "fusion.billing.window",
            "fusion.billing.rating",
            "fusion.billing.adjustment",
            "fusion.billing.reconciliation",
            "fusion.billing.metric",
            "sale.order",
            "account.move",
            "account.move.line",
        ):
            self.env[model].flush_model()
        Usage = self.env["fusion.billing.control.usage"]
        Documents = self.env["fusion.billing.control.documents"]
        return SQL(
            """
            WITH RECURSIVE %s, %s, %s, %s, %s, %s, %s
            SELECT j.*, CASE WHEN j.currency_id = %s THEN 0
                             ELSE journal_balance - posted_amount END
                   AS conversion_amount
              FROM (%s) j
            """,
            self._scope(company, start, end),
            Usage._used(start, end),
            Usage._declared(start, end),
            Documents._billed(company, start, end),
            self._owned(),
            self._joined(),
            self._parted(),
            company.currency_id.id,
            self._judged(),
        )

    # -- of which subscriptions and windows ------------------------------------

    def _scope(self, company, start, end):
        """``owner``: the subscriptions; ``wanted``: the windows; ``moved``, ``queued``.

        An order that names no app is that of its customer's first one.
        """
        return SQL(
            """
            owner AS MATERIALIZED (
                SELECT o.id, o.currency_id, o.fc_service_id AS named_id,
                       coalesce(o.fc_service_id, (
                           SELECT min(l.service_id)
                             FROM fusion_billing_account_link l
                             JOIN fusion_billing_service s ON s.id = l.service_id
                            WHERE l.partner_id = o.partner_id
                              AND s.company_id = o.company_id)) AS service_id
                  FROM sale_order o
                 WHERE o.company_id = %(company)s
                   AND (o.is_subscription OR EXISTS (
                        SELECT FROM fusion_billing_window w
                         WHERE w.subscription_id = o.id))
            ), wanted AS MATERIALIZED (
                SELECT w.id, w.subscription_id, w.start, w."end", w.currency_id
                  FROM fusion_billing_window w
                 WHERE w.company_id = %(company)s AND w.kind = 'billing'
                   AND w."end" > %(start)s AND w."end" <= %(end)s
            ), moved AS MATERIALIZED (
                SELECT m.metric_id, substr(m.idempotency_key, 8)::bigint AS of_id
                  FROM fusion_billing_usage m
                 WHERE %(moved)s AND m.voided_at IS NULL
            ), queued AS MATERIALIZED (
                SELECT subscription_id, min(coalesce(since, '-infinity')) AS since
                  FROM fusion_billing_rating_queue GROUP BY subscription_id
            )
            """,
            company=company.id,
            start=start,
            end=end,
            moved=is_moved("m"),
        )

    # -- all together ----------------------------------------------------------

    def _owned(self):
        """``keys``: which rows there are; ``owned``: what was billed, by app.

        What several apps have sent is billed in one: to the one that the subscription
        names, else to the first.
        """
        return SQL(
            """
            apps AS (
                SELECT subscription_id, metric_id, window_id,
                       min(service_id) FILTER (WHERE accepted <> 0) AS first,
                       count(DISTINCT service_id) FILTER (WHERE accepted <> 0)
                       AS several
                  FROM used GROUP BY subscription_id, metric_id, window_id
            ), billed AS (
                SELECT coalesce(m.subscription_id, h.subscription_id)
                       AS subscription_id, coalesce(m.metric_id, h.metric_id)
                       AS metric_id, coalesce(m.window_id, h.window_id) AS window_id,
                       m.quantity, m.rated_amount, m.open_amount, m.forgiven_amount,
                       m.edited_amount, m.tax_amount, m.rounding_amount,
                       m.amount_unexplained, m.draft_amount, m.posted_amount,
                       m.journal_balance, h.amount AS by_hand_amount
                  FROM money m
                  FULL JOIN by_hand h
                    ON (h.subscription_id, h.metric_id, coalesce(h.window_id, 0))
                     = (m.subscription_id, m.metric_id, m.window_id)
            ), owned AS (
                SELECT b.*, coalesce(o.named_id, a.first, o.service_id) AS service_id
                  FROM billed b
                  JOIN owner o ON o.id = b.subscription_id
                  LEFT JOIN apps a
                    ON (a.subscription_id, a.metric_id, coalesce(a.window_id, 0))
                     = (b.subscription_id, b.metric_id, coalesce(b.window_id, 0))
            ), keys AS (
                SELECT service_id, subscription_id, metric_id, window_id FROM used
                 UNION
                SELECT service_id, subscription_id, metric_id, window_id FROM declared
                 UNION
                SELECT service_id, subscription_id, metric_id, window_id FROM owned
            )
            """
        )

    def _joined(self):
        """``joined``: what there is of each key, and 0 for what there is not."""
        return SQL(
            """
            joined AS (
                SELECT k.*, coalesce(w.currency_id, o.currency_id) AS currency_id,
                       d.quantity IS NOT NULL AND k.window_id IS NOT NULL
                       AS is_declared,
                       d.service_id IS NOT NULL
                       AND (d.quantity IS NULL OR k.window_id IS NULL)
                       AS is_declared_otherwise,
                       coalesce(d.quantity, 0) AS declared,
                       coalesce(d.is_explained, FALSE) AS is_explained,
                       coalesce(u.accepted, 0) AS accepted,
                       coalesce(u.voided, 0) AS voided,
                       coalesce(u.unallocated, 0) AS unallocated,
                       coalesce(u.moved_in, 0) AS moved_in,
                       coalesce(u.moved_out, 0) AS moved_out,
                       coalesce(u.accepted_count, 0) AS accepted_count,
                       coalesce(b.quantity, 0) AS rated,
                       coalesce(b.rated_amount, 0) AS rated_amount,
                       coalesce(b.open_amount, 0) AS open_amount,
                       coalesce(b.forgiven_amount, 0) AS forgiven_amount,
                       coalesce(b.edited_amount, 0) AS edited_amount,
                       coalesce(b.tax_amount, 0) AS tax_amount,
                       coalesce(b.rounding_amount, 0) AS rounding_amount,
                       coalesce(b.amount_unexplained, 0) AS amount_unexplained,
                       coalesce(b.draft_amount, 0) AS draft_amount,
                       coalesce(b.posted_amount, 0) AS posted_amount,
                       coalesce(b.journal_balance, 0) AS journal_balance,
                       coalesce(b.by_hand_amount, 0) AS by_hand_amount,
                       m.aggregation = ANY(%(additive)s) AS adds_up,
                       coalesce(m.tolerance, 0) AS tolerance,
                       k.window_id IS NULL OR coalesce(q.since < w."end", FALSE)
                       AS is_waiting,
                       coalesce(a.several > 1 OR a.first <> k.service_id, FALSE)
                       AS is_shared
                  FROM keys k
                  JOIN owner o ON o.id = k.subscription_id
                  JOIN fusion_billing_metric m ON m.id = k.metric_id
                  LEFT JOIN wanted w ON w.id = k.window_id
                  LEFT JOIN used u ON %(u)s
                  LEFT JOIN declared d ON %(d)s
                  LEFT JOIN owned b ON %(b)s
                  LEFT JOIN queued q ON q.subscription_id = k.subscription_id
                  LEFT JOIN apps a
                    ON (a.subscription_id, a.metric_id, coalesce(a.window_id, 0))
                     = (k.subscription_id, k.metric_id, coalesce(k.window_id, 0))
            )
            """,
            additive=list(ADDITIVE),
            u=_same_key("u"),
            d=_same_key("d"),
            b=_same_key("b"),
        )

    def _parted(self):
        """``judged``: the differences of quantities, and what explains each."""
        return SQL(
            """
            parted AS (
                SELECT j.*, CASE WHEN is_declared THEN declared - accepted ELSE 0 END
                       AS declared_difference,
                       CASE WHEN is_declared AND adds_up
                            THEN unallocated + moved_out - moved_in ELSE 0 END AS known,
                       accepted - rated AS rated_difference
                  FROM joined j
            ), rest AS (
                SELECT p.*, declared_difference - known AS rest FROM parted p
            ), judged AS (
                SELECT r.*, CASE WHEN rest = 0 THEN 'none'
                                 WHEN rest = voided THEN 'voided'
                                 WHEN abs(rest) <= declared * tolerance / 100
                                 THEN 'tolerated'
                                 WHEN is_explained THEN 'explained'
                                 ELSE 'open' END AS verdict,
                       CASE WHEN rated_difference = 0 THEN 'none'
                            WHEN is_waiting THEN 'waiting'
                            WHEN is_shared THEN 'shared' ELSE 'open' END AS rating
                  FROM rest r
            )
            """
        )

    def _judged(self):
        """The rows: each link of the chain, its difference, and what explains it."""
        return SQL(
            """
            SELECT service_id, subscription_id, metric_id, window_id, currency_id,
                   is_declared, is_declared_otherwise, declared AS declared_quantity,
                   accepted AS accepted_quantity, accepted_count,
                   voided AS voided_quantity, unallocated AS unallocated_quantity,
                   moved_in AS moved_in_quantity, moved_out AS moved_out_quantity,
                   rated AS rated_quantity, declared_difference, rated_difference,
                   CASE WHEN verdict = 'voided' THEN rest ELSE 0 END AS void_difference,
                   CASE WHEN verdict = 'tolerated' THEN rest ELSE 0 END
                   AS tolerated_quantity,
                   CASE WHEN verdict = 'explained' THEN rest ELSE 0 END
                   AS explained_quantity,
                   CASE WHEN rating = 'waiting' THEN rated_difference ELSE 0 END
                   AS waiting_quantity,
                   CASE WHEN rating = 'shared' THEN rated_difference ELSE 0 END
                   AS shared_quantity,
                   CASE WHEN verdict = 'open' THEN rest ELSE 0 END
                   AS declared_unexplained,
                   CASE WHEN rating = 'open' THEN rated_difference ELSE 0 END
                   AS rated_unexplained,
                   rated_amount, open_amount, draft_amount, posted_amount,
                   forgiven_amount, edited_amount, tax_amount, rounding_amount,
                   amount_unexplained, by_hand_amount, journal_balance
              FROM judged
            """
        )


def _same_key(alias):
    """A row of this alias is of the same app, subscription, metric and window (SQL)."""
    table = SQL.identifier(alias)
    return SQL(
        """
        %s.subscription_id = k.subscription_id AND %s.metric_id = k.metric_id
        AND coalesce(%s.window_id, 0) = coalesce(k.window_id, 0)
        AND coalesce(%s.service_id, 0) = coalesce(k.service_id, 0)
        """,
        *(table,) * 4,
    )
