from odoo.addons.fusion_centralized_billing.engine.own_keys import (
    content_key,
    moved_key,
)


def migrate(cr, version):
    """Move the keys that our code has made to where no app can name one.

    An app may have chosen a key that looks like ours. It stays what the app calls its
    event: only what finance's void says of the event it was moved from is believed.
    """
    cr.execute(
        """
        UPDATE fusion_billing_usage SET idempotency_key = %s || fingerprint
         WHERE idempotency_key = 'content:' || fingerprint
        """,
        [content_key("")],
    )
    cr.execute(
        """
        WITH named AS MATERIALIZED (
            SELECT id, substr(idempotency_key, 7)::bigint AS origin
              FROM fusion_billing_usage
             WHERE CASE WHEN idempotency_key LIKE 'moved:%%'
                   THEN idempotency_key ~ '^moved:[1-9][0-9]{0,17}$' END
        )
        UPDATE fusion_billing_usage n SET idempotency_key = %s || u.id
          FROM named
          JOIN fusion_billing_usage u ON u.id = named.origin
         WHERE n.id = named.id AND n.id > u.id
           AND n.metric_id = u.metric_id AND n.quantity = u.quantity
           AND n.unique_key IS NOT DISTINCT FROM u.unique_key
           AND n.service_id IS NOT DISTINCT FROM u.service_id
           -- finance has voided that one as it recorded this one
           AND u.void_service_id IS NULL
           AND u.voided_at BETWEEN n.received_at AND n.received_at + interval '1 hour'
        """,
        [moved_key("")],
    )
