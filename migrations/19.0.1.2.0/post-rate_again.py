def migrate(cr, version):
    """Have every subscription with usage rated once, from the beginning.

    Late usage of windows older than the last was only flagged until now, and so was
    that of a metric without a price.
    """
    cr.execute(
        """
        INSERT INTO fusion_billing_rating_queue (subscription_id, since, recheck)
        SELECT DISTINCT subscription_id, timestamp '0001-01-01', true
          FROM fusion_billing_usage
        """
    )
