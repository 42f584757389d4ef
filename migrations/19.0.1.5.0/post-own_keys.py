from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

from odoo.addons.fusion_centralized_billing.engine.api.own_keys import (
    content_key,
    moved_key,
)


def migrate(cr, version):
    """Move the keys that our code has made to where no app can name one.

    An app may have chosen a key that looks like ours. It stays what the app calls its
    event: only what finance's void says of the event it was moved from is believed.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    sealed = _rightly_sealed(env)
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
    sealed._take_digest()


def _rightly_sealed(env):
    """Settled windows with such keys, whose events are those they were settled with.

    Their digest is over the keys, too. That of any other tells of a change that was
    made before, and stays as it is.
    """
    Window = env["fusion.billing.window"]
    of_keys = SQL(
        """
        w.digest IS NOT NULL AND EXISTS (
            SELECT FROM fusion_billing_usage x
             WHERE x.subscription_id = w.subscription_id
               AND x.period_start >= w.start AND x.period_start < w."end"
               AND (x.idempotency_key = 'content:' || x.fingerprint
                    OR x.idempotency_key LIKE 'moved:%%'))
        """
    )
    rows = env.execute_query(
        SQL(
            "SELECT d.window_id FROM (%s) d JOIN fusion_billing_window w"
            " ON w.id = d.window_id WHERE w.digest = d.digest",
            Window._digests(of_keys),
        )
    )
    return Window.browse([window_id for [window_id] in rows])
