from odoo import api, models
from odoo.tools import SQL


class FusionBillingWindowSeal(models.AbstractModel):
    """A digest of the events of settled windows, for the audit to see if it holds."""

    _name = "fusion.billing.window.seal"
    _description = "Seal of Billing Windows"

    def _take_digest(self):
        """Note what the events of these windows are, each chained to the one before."""
        if not self.ids:
            return
        self.flush_recordset()
        self.env["fusion.billing.usage"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE fusion_billing_window w
                   SET digest = d.digest, digest_until = d.until,
                       digest_count = d.count
                  FROM (%s) d WHERE d.window_id = w.id
                """,
                self._digests(SQL("w.id = ANY(%s)", self.ids), now=True),
            )
        )
        self.invalidate_recordset(
            ["digest", "digest_until", "digest_count"], flush=False
        )

    @api.model
    def _seal_again(self, window_ids):
        """Take in events that were underway when these windows were settled.

        Their numbers are lower than the last one that was seen then.
        """
        if not window_ids:
            return
        late = [
            window_id
            for window_id, *_digest in self.env.execute_query(
                SQL(
                    "SELECT d.*, w.digest_count FROM (%s) d"
                    "  JOIN fusion_billing_window w ON w.id = d.window_id"
                    " WHERE d.count > w.digest_count",
                    self._digests(
                        SQL("w.id = ANY(%s) AND w.digest IS NOT NULL", window_ids)
                    ),
                )
            )
        ]
        self.browse(late)._take_digest()

    @api.model
    def _digests(self, scope, now=False):
        """A query: window_id, digest of its events, id of the last one, how many.

        :param SQL scope: a condition on ``w``, the window
        :param now: of all events; else of those that were in it when it was settled
        """
        known = SQL("TRUE") if now else SQL("u.id <= w.digest_until")
        return SQL(
            """
            SELECT w.id AS window_id,
                   md5(coalesce(string_agg(
                       concat_ws('|', u.id, u.metric_id, u.quantity, u.period_start,
                                 u.period_end, u.idempotency_key, u.unique_key),
                       E'\n' ORDER BY u.id)
                       FILTER (WHERE u.id IS NOT NULL), '')) AS digest,
                   coalesce(max(u.id), 0) AS until, count(u.id) AS count
              FROM fusion_billing_window w
             CROSS JOIN fusion_billing_metric m -- by the index of a window
              LEFT JOIN fusion_billing_usage u
                ON u.subscription_id = w.subscription_id AND u.metric_id = m.id
               AND u.period_start >= w.start AND u.period_start < w."end" AND %s
             WHERE %s
             GROUP BY w.id
            """,
            known,
            scope,
        )
