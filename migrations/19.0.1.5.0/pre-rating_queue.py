def migrate(cr, version):
    """The queue is read by subscription and number: the index of one alone is spent."""
    if version:
        cr.execute(
            "DROP INDEX IF EXISTS fusion_billing_rating_queue__subscription_id_index"
        )
