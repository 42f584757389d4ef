def migrate(cr, version):
    """Give renewals that are not confirmed yet the app of what they renew.

    Any app of the customer could reach them.
    """
    changed = True
    while changed:  # a renewal of a renewal
        cr.execute(
            """
            UPDATE sale_order o SET fc_service_id = parent.fc_service_id
              FROM sale_order parent
             WHERE parent.id = o.subscription_id AND o.fc_service_id IS NULL
               AND parent.fc_service_id IS NOT NULL
               AND o.plan_id IS NOT NULL AND o.subscription_state <> '7_upsell'
            """
        )
        changed = cr.rowcount
