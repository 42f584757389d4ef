from collections import Counter
from datetime import datetime

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.tools import SQL

from ...engine.postgres.text import (
    array_literal,
    copy_file,
    copy_texts,
    text_array_literal,
)

# From so many rows on, COPY is tried first: half as long as INSERT ... ON CONFLICT. It
# fails as a whole where one row is not new, which PostgreSQL writes into its log. It
# gives ids in the order of the rows, which are sorted, and not in that of the request.
COPY_FROM = 200


class FusionBillingUsageStore(models.AbstractModel):
    """Rows into the table of events, and what is there already."""

    _name = "fusion.billing.usage.store"
    _description = "Storing of Usage"

    @api.model
    def _insert(self, service, rows):
        """Insert what is not there yet; return its (order, metric, key) tuples."""
        if not rows:
            return set()
        columns = {
            "service_id": [service.id or None] * len(rows),
            "subscription_id": [row.scope[0] for row in rows],
            "metric_id": [row.scope[1] for row in rows],
            "quantity": [row.event.quantity for row in rows],
            "period_start": [row.event.period_start for row in rows],
            "period_end": [row.event.period_end for row in rows],
            "idempotency_key": [row.scope[2] for row in rows],
            "unique_key": [row.event.unique_key for row in rows],
            "fingerprint": [row.event.fingerprint for row in rows],
            "unallocated": [row.unallocated for row in rows],
            "received_at": [fields.Datetime.now()] * len(rows),
        }
        is_for_copy = service and len(rows) >= COPY_FROM and not _has_ties(rows)
        if is_for_copy and self._copy(columns):
            return {row.scope for row in rows}
        return self._insert_new(columns, [row.index for row in rows])

    @api.model
    def _copy(self, columns):
        """Insert rows that are all new by COPY; False where one is not."""
        texts = ("idempotency_key", "unique_key")
        content = copy_file(
            [
                copy_texts(values) if name in texts else values
                for name, values in columns.items()
            ]
        )
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.copy_expert(
                    f"COPY fusion_billing_usage ({', '.join(columns)}) FROM STDIN",
                    content,
                )
        except UniqueViolation:
            return False
        since_of = {}
        for order, start in zip(
            columns["subscription_id"], columns["period_start"], strict=True
        ):
            if start < since_of.get(order, datetime.max):
                since_of[order] = start
        counts = Counter(columns["subscription_id"])
        self.env["fusion.billing.rating.queue"]._add_usage(since_of, counts)
        return True

    @api.model
    def _insert_new(self, columns, places):
        """Insert the rows that are new; return their (order, metric, key) tuples.

        Their ids are drawn in the order of the request, by which ``last`` goes.

        :param dict columns: name -> values, sorted as :meth:`_store` says
        :param list places: where in the request each row stands
        """
        names = SQL(", ").join(map(SQL.identifier, columns))
        texts = ("idempotency_key", "unique_key")
        arrays = [
            text_array_literal(values) if name in texts else array_literal(values)
            for name, values in columns.items()
        ]
        return set(
            self.env.execute_query(
                SQL(
                    """
                    WITH new AS (
                        INSERT INTO fusion_billing_usage (id, %s)
                        SELECT id, %s
                          FROM (SELECT nextval('fusion_billing_usage_id_seq') AS id, *
                                  FROM (SELECT *
                                          FROM unnest(%s::int[], %s::int[], %s::int[],
                                                      %s::numeric[], %s::timestamp[],
                                                      %s::timestamp[], %s::text[],
                                                      %s::text[], %s::text[],
                                                      %s::bool[], %s::timestamp[],
                                                      %s::int[])
                                               WITH ORDINALITY AS e(%s, place, rank)
                                         ORDER BY place) placed) drawn
                         ORDER BY rank
                            ON CONFLICT (subscription_id, metric_id, idempotency_key)
                            DO NOTHING
                        RETURNING subscription_id, metric_id, idempotency_key,
                                  period_start
                    ), queued AS (
                        INSERT INTO fusion_billing_rating_queue
                                    (subscription_id, since, event_count, recheck)
                        SELECT subscription_id, min(period_start), count(*), false
                          FROM new GROUP BY subscription_id
                    )
                    SELECT subscription_id, metric_id, idempotency_key FROM new
                    """,
                    names,
                    names,
                    *arrays,
                    array_literal(places),
                    names,
                )
            )
        )

    @api.model
    def _stored(self, scopes):
        """What is stored: {(order, metric, key): (fingerprint, voided)}."""
        if not scopes:
            return {}
        orders, metrics, keys = zip(*scopes, strict=True)
        return {
            (order, metric, key): (fingerprint, voided)
            for order, metric, key, fingerprint, voided in self.env.execute_query(
                SQL(
                    """
                    SELECT u.subscription_id, u.metric_id, u.idempotency_key,
                           u.fingerprint, u.voided_at IS NOT NULL
                      FROM unnest(%s::int[], %s::int[], %s::text[])
                           AS s(subscription_id, metric_id, idempotency_key)
                      JOIN fusion_billing_usage u
                        USING (subscription_id, metric_id, idempotency_key)
                    """,
                    array_literal(orders),
                    array_literal(metrics),
                    text_array_literal(keys),
                )
            )
        }


def _has_ties(rows):
    """Whether some rows decide by their order in the request what the last value is."""
    instants = [
        (*row.scope[:2], row.event.period_start) for row in rows if row.target.last
    ]
    return len({*instants}) < len(instants)
