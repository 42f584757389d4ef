import json
from collections import namedtuple
from datetime import datetime
from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ..engine.billing.pricing import PriceTerms

# What the ledger says of one charge and window.
# ``billed``: the sum of its live invoiced revisions, ``billed_by``: which these are;
# ``revision``, ``quantity``, ``end`` of the latest one; ``peak``: the highest share of
# the quota it reached, in percent; ``open``: the open revision's (window end,
# explanation) or None;
# ``terms``: those it was invoiced at or None (a revision that found nothing more to
# bill says nothing of its own); ``released``: an invoice of it was taken back;
# ``superseded``: another charge prices the usage.
Standing = namedtuple(
    "Standing",
    "billed billed_by revision quantity end peak open terms released superseded",
)
NOTHING = Standing(
    Decimal(0), [], -1, Decimal(0), datetime.min, 0, None, None, False, False
)


class SaleOrder(models.Model):
    """Reading and writing the ledger of ratings, exactly and in bulk."""

    _inherit = "sale.order"

    def _fc_standing_ratings(self, dirty):
        """What the ledger says of the windows that may have to be rated.

        :param dict dirty: order id -> since when its usage has changed
        :return: {(order id, charge id, window start): :class:`Standing`}
        """
        since = []
        for order in self:
            window = order._fc_window()
            open_start = window.start if window else datetime.max
            since.append(min(open_start, dirty.get(order.id, datetime.max)))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT r.subscription_id, r.charge_id, r.window_start,
                       sum(r.amount) FILTER (WHERE r.state = 'invoiced')::text,
                       array_agg(r.revision ORDER BY r.revision)
                       FILTER (WHERE r.state = 'invoiced' AND r.amount != 0),
                       max(r.revision),
                       (array_agg(r.quantity::text ORDER BY r.revision DESC))[1],
                       (array_agg(r.window_end ORDER BY r.revision DESC))[1],
                       (array_agg(r.state ORDER BY r.revision DESC))[1],
                       coalesce(max(r.peak_share), 0),
                       (array_agg(r.explanation ORDER BY r.revision DESC))[1],
                       (array_agg(r.explanation ORDER BY r.revision DESC)
                        FILTER (WHERE r.state = 'invoiced' AND
                                (r.amount != 0 OR NOT r.explanation ? 'billed_by')))[1],
                       bool_or(r.state = 'released')
                  FROM unnest(%s::int[], %s::timestamp[]) AS o(id, since)
                  JOIN fusion_billing_rating r ON r.subscription_id = o.id
                 GROUP BY r.subscription_id, r.charge_id, r.window_start
                HAVING max(r.window_end) > min(o.since)
                    OR bool_or(r.state != 'invoiced')
                """,
                self.ids,
                since,
            )
        )
        return {
            tuple(key): Standing(
                billed=Decimal(billed or 0),
                billed_by=billed_by or [],
                revision=revision,
                quantity=Decimal(quantity),
                end=end,
                peak=peak,
                # The open revision, where there is one, is the latest.
                open=(end, latest) if state == "open" else None,
                terms=PriceTerms.from_dict(invoiced) if invoiced else None,
                released=released,
                superseded=bool((latest or {}).get("superseded")),
            )
            for (
                *key,
                billed,
                billed_by,
                revision,
                quantity,
                end,
                state,
                peak,
                latest,
                invoiced,
                released,
            ) in rows
        }

    def _fc_store_ratings(self, jobs, quantities, standing, settle=False):
        """Write the open revision of each job where it differs from what stands.

        :return: the orders that something was written for
        """
        terms = (
            self.env["fusion.billing.charge"]
            .concat(*{job.charge for job in jobs})
            ._price_terms()
        )
        rows, reached = [], []
        for job, quantity in zip(jobs, quantities, strict=True):
            key = job.order.id, job.charge.id, job.window.start
            known = standing.get(key, NOTHING)
            if job.superseded:
                quantity = Decimal(0)
            agreed = self._fc_agreed_terms(job, known) or terms[job.charge.id]
            values = self._fc_rate(job, agreed, quantity, known)
            # The explanation, too: a new price can come to the same amount, and is
            # what later usage of the window will cost.
            if known.open == (job.window.end, values["explanation"]):
                continue
            # At settlement a row is kept for 0 too: it says which charges the
            # window had, at which price, for usage that comes later. Again, where an
            # invoice that said so was taken back.
            keep_zero = settle and not known.terms and not job.superseded
            if not (known.open or values["amount"] or keep_zero):
                if quantity == known.quantity:
                    continue
            share = agreed.included and int(quantity * 100 / agreed.included)
            peak = max(known.peak, min(share, 2**31 - 1))
            if peak > known.peak:
                reached.append((job, known.peak, peak, values["explanation"]))
            revision = known.revision if known.open else known.revision + 1
            rows.append(
                (
                    job.order.id,
                    job.order.partner_id.id,
                    job.order.company_id.id,
                    job.charge.id,
                    job.charge.metric_id.id,
                    job.window.start,
                    job.window.end,
                    revision,
                    quantity,
                    values["included"],
                    values["billable"],
                    values["amount"],
                    job.order.currency_id.id,
                    json.dumps(values["explanation"]),
                    peak,
                    self.env.uid,
                    self.env.uid,
                )
            )
        if rows:
            self._fc_upsert_ratings(rows)
            self._fc_emit_thresholds(reached)
        return self.browse({row[0] for row in rows})

    def _fc_upsert_ratings(self, rows):
        # Not through the ORM: quantities must not pass through a float, and one
        # statement does for thousands of rows what create() does one by one.
        self.env["sale.order.line"].flush_model(["order_id", "fc_charge_id"])
        lines = {
            (order_id, charge_id): line_id
            for order_id, charge_id, line_id in self.env.execute_query(
                SQL(
                    "SELECT order_id, fc_charge_id, id FROM sale_order_line"
                    " WHERE order_id = ANY(%s) AND fc_charge_id IS NOT NULL",
                    [row[0] for row in rows],
                )
            )
        }
        self.env.cr.execute_values(
            """
            INSERT INTO fusion_billing_rating
                   (subscription_id, partner_id, company_id, charge_id, metric_id,
                    window_start, window_end, revision, quantity, included,
                    billable, amount, currency_id, explanation, peak_share,
                    create_uid, write_uid, order_line_id, state, create_date,
                    write_date)
            VALUES %s
            ON CONFLICT (subscription_id, charge_id, window_start)
                  WHERE state = 'open'
            DO UPDATE SET window_end = excluded.window_end,
                          quantity = excluded.quantity,
                          included = excluded.included,
                          billable = excluded.billable,
                          amount = excluded.amount,
                          currency_id = excluded.currency_id,
                          explanation = excluded.explanation,
                          peak_share = excluded.peak_share,
                          write_uid = excluded.write_uid,
                          write_date = excluded.write_date
            """,
            [(*row, lines.get((row[0], row[3]))) for row in rows],
            template="(" + "%s, " * 18 + "'open', now() AT TIME ZONE 'UTC',"
            " now() AT TIME ZONE 'UTC')",
            page_size=1000,
        )
        self.env["fusion.billing.rating"].invalidate_model()
        self.invalidate_recordset(["fc_rating_ids"])
        self.env["sale.order.line"].invalidate_model(["fc_open_rating_ids"])

    def _fc_emit_thresholds(self, reached):
        """Tell the services which shares of a quota were reached, each once a window.

        :param reached: list of (job, share known before, share now, explanation)
        """
        events = []
        for job, before, now, explanation in reached:
            if job.superseded:
                continue
            for service in job.order._fc_services():
                for share in service._fc_threshold_shares():
                    if before < share <= now:
                        events.append(
                            (
                                service,
                                "usage.threshold_reached",
                                {
                                    "subscription_id": job.order.id,
                                    "external_id": job.order.fc_external_id or None,
                                    "metric": job.charge.metric_id.code,
                                    "window_start": f"{job.window.start.isoformat()}Z",
                                    "window_end": f"{job.window.end.isoformat()}Z",
                                    "threshold_percent": share,
                                    "quantity": explanation["quantity"],
                                    "included_quota": explanation["quota"],
                                },
                            )
                        )
        self.env["fusion.billing.webhook"]._enqueue_all(events)
