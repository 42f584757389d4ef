"""Which events a rating had counted when it went on its invoice."""


def migrate(cr, _version):
    # Where a window has one rating, whatever is there by now was counted by it, but
    # for what came after it was settled.
    cr.execute(
        """
        UPDATE fusion_billing_rating r
           SET usage_until = coalesce(
                   nullif(w.digest_until, 0),
                   (SELECT coalesce(max(id), 0) FROM fusion_billing_usage))
          FROM fusion_billing_window w
         WHERE w.id = r.window_id AND r.state != 'open' AND r.usage_until IS NULL
           AND NOT EXISTS (SELECT FROM fusion_billing_rating x
                            WHERE x.agreement_id = r.agreement_id AND x.id != r.id)
        """
    )
    # Of several: what had come when its invoice was made.
    cr.execute(
        """
        UPDATE fusion_billing_rating r
           SET usage_until = (
                   SELECT coalesce(max(u.id), 0) FROM fusion_billing_usage u
                    WHERE u.subscription_id = r.subscription_id
                      AND u.metric_id = r.metric_id
                      AND u.period_start >= r.window_start
                      AND u.period_start < r.window_end
                      AND u.received_at <= coalesce(m.create_date, r.write_date))
          FROM fusion_billing_rating x
          LEFT JOIN account_move m ON m.id = x.invoice_id
         WHERE x.id = r.id AND r.state != 'open' AND r.usage_until IS NULL
        """
    )
    # And which of them were on an invoice when they were voided.
    cr.execute(
        """
        UPDATE fusion_billing_usage u
           SET void_rating_id = b.id
          FROM (SELECT DISTINCT ON (x.id) x.id AS usage_id, r.id
                  FROM fusion_billing_usage x
                  JOIN fusion_billing_rating r
                    ON r.subscription_id = x.subscription_id
                   AND r.metric_id = x.metric_id
                   AND r.window_start <= x.period_start
                   AND r.window_end > x.period_start
                  LEFT JOIN account_move m ON m.id = r.invoice_id
                 WHERE x.voided_at IS NOT NULL AND r.state != 'open'
                   AND r.usage_until >= x.id
                   AND coalesce(m.create_date, r.write_date) < x.voided_at
                 ORDER BY x.id, r.revision DESC) b
         WHERE u.id = b.usage_id AND u.void_rating_id IS NULL
        """
    )
