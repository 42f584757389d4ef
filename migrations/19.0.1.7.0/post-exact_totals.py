"""What was declared and compared before, in exact decimals and by today's terms."""


def migrate(cr, _version):
    # Totals were subtracted and stored as floats; their columns are decimals.
    cr.execute(
        """
        UPDATE fusion_billing_reconciliation
           SET difference_quantity = declared_quantity - actual_quantity
         WHERE compared_at IS NOT NULL
           AND difference_quantity IS DISTINCT FROM declared_quantity - actual_quantity
        """
    )
    # A float holds 17 digits at most: of a longer quantity the last ones were lost,
    # and nobody knows whether it matched. It is to be compared again.
    cr.execute(
        """
        UPDATE fusion_billing_reconciliation r
           SET state = NULL, compared_at = NULL
          FROM fusion_billing_usage u
         WHERE r.state = 'matched' AND u.subscription_id = r.subscription_id
           AND u.metric_id = r.metric_id AND u.period_start >= r.window_start
           AND u.period_start < r.window_end AND u.voided_at IS NULL
           AND length(replace(trim_scale(greatest(u.quantity, r.declared_quantity))
                              ::text, '.', '')) > 15
        """
    )
    # Which windows the app has declared.
    cr.execute(
        """
        UPDATE fusion_billing_reconciliation r
           SET covers = CASE WHEN f.count IS NULL THEN 'none'
                             WHEN f.covered IS NOT TRUE OR f.inside < f.count
                             THEN 'part'
                             WHEN f.count = 1 THEN 'window' ELSE 'windows' END
          FROM fusion_billing_reconciliation x
          LEFT JOIN (SELECT y.id, count(*) AS count,
                            count(*) FILTER (WHERE w.start >= y.window_start
                                               AND w."end" <= y.window_end) AS inside,
                            sum(least(w."end", y.window_end)
                                - greatest(w.start, y.window_start))
                            = min(y.window_end - y.window_start) AS covered
                       FROM fusion_billing_reconciliation y
                       JOIN fusion_billing_window w
                         ON w.subscription_id = y.subscription_id
                        AND w.kind = 'billing' AND w.start < y.window_end
                        AND w."end" > y.window_start
                      GROUP BY y.id) f ON f.id = x.id
         WHERE r.id = x.id AND r.compared_at IS NOT NULL AND r.covers IS NULL
        """
    )
