def migrate(cr, version):
    """Note on each subscription under which account of an app it goes.

    What the app was told when it began counts, while that is an account of its
    customer: contacts may have been merged since. Else it is the first account.
    """
    cr.execute(
        """
        WITH told AS (
            SELECT DISTINCT ON (subscription_id, service_id)
                   subscription_id, service_id,
                   payload::jsonb->'data'->>'external_customer_id' AS external_id
              FROM fusion_billing_webhook
             WHERE event_type = 'subscription.created' AND subscription_id IS NOT NULL
             ORDER BY subscription_id, service_id, id
        ), chosen AS (
            SELECT DISTINCT ON (o.id) o.id, k.id AS link_id
              FROM sale_order o
              JOIN res_partner p ON p.id = o.partner_id
              JOIN fusion_billing_account_link k
                ON k.partner_id IN (p.id, p.commercial_partner_id)
               AND k.company_id = o.company_id
               AND k.service_id = coalesce(o.fc_service_id, k.service_id)
              LEFT JOIN told t
                ON t.subscription_id = o.id AND t.service_id = k.service_id
               AND t.external_id = k.external_id
             WHERE o.plan_id IS NOT NULL AND o.state = 'sale'
               AND o.fc_account_link_id IS NULL
             ORDER BY o.id, (t.external_id IS NULL), (k.partner_id <> p.id),
                      k.service_id, k.external_id, k.id
        )
        UPDATE sale_order o SET fc_account_link_id = chosen.link_id
          FROM chosen WHERE chosen.id = o.id
        """
    )
