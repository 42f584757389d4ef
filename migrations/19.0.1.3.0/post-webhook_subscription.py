def migrate(cr, version):
    """Say of each webhook event which subscription it is of, as its payload does."""
    cr.execute(
        """
        UPDATE fusion_billing_webhook w SET subscription_id = o.id
          FROM sale_order o
         WHERE w.subscription_id IS NULL
           AND (w.payload::jsonb->'data'->>'subscription_id')::int = o.id
        """
    )
