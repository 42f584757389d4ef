"""Windows that are still to be billed say how many events they have, and since when."""


def migrate(cr, version):
    # By the index of a window; of what is settled nothing is shown that needs it.
    cr.execute(
        """
        UPDATE fusion_billing_window w
           SET event_count = (
                   SELECT count(*)
                     FROM fusion_billing_window_charge a
                     JOIN fusion_billing_usage u
                       ON u.subscription_id = w.subscription_id
                      AND u.metric_id = a.metric_id
                      AND u.period_start >= w.start AND u.period_start < w."end"
                      AND u.voided_at IS NULL
                    WHERE a.window_id = w.id),
               rated_at = (
                   SELECT max(r.write_date)
                     FROM fusion_billing_rating r WHERE r.window_id = w.id)
         WHERE w.is_settled IS NOT TRUE AND w.kind = 'billing'
        """
    )
