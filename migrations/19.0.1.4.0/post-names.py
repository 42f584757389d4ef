def migrate(cr, version):
    """Note which apps have named a subscription by an id of their own.

    Whatever became of that subscription: what they send are their own ids.
    """
    cr.execute(
        """
        UPDATE fusion_billing_service s SET uses_external_ids = true
         WHERE uses_external_ids IS NOT TRUE
           AND EXISTS (SELECT FROM sale_order o
                        WHERE o.fc_service_id = s.id AND o.fc_external_id != '')
        """
    )
