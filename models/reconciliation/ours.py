from decimal import Decimal
from typing import NamedTuple

from odoo import models
from odoo.tools import SQL

from ...engine.billing.aggregation import AGGREGATIONS
from ..usage.usage import MOVED

WINDOW, WINDOWS, PART, NONE = "window", "windows", "part", "none"


class Ours(NamedTuple):
    """What we hold of one app for a span of time.

    :ivar quantity: what the app has sent, less what no window bills; also what finance
        has billed in another window instead
    :ivar count: how many events that is
    :ivar unallocated: quantity that no window bills and nobody has decided on
    :ivar elsewhere: the part of ``quantity`` that was billed in another window
    :ivar amount: of the ratings of whole windows in that span, without tax
    """

    quantity: Decimal = Decimal(0)
    count: int = 0
    unallocated: Decimal = Decimal(0)
    elsewhere: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)


class FusionBillingReconciliationOurs(models.AbstractModel):
    """What is held against the totals that a source app declares."""

    _name = "fusion.billing.reconciliation.ours"
    _description = "Our Totals of a Window"

    def _our_totals(self):
        """What we hold of this app in the window (:class:`Ours`).

        Usage of another app is none of its business, and usage that finance has billed
        in this window, but that was sent for another, was declared there.
        """
        self.ensure_one()
        # In a form that is being filled in it can be anybody's.
        if not (
            self.subscription_id
            and self.subscription_id.has_access("read")
            and self.service_id
            and self.metric_id
            and self.window_start
            and self.window_end
        ):
            return Ours()
        self.env["fusion.billing.usage"].flush_model()
        self.env["sale.order"].flush_model(["fc_service_id"])
        aggregate = SQL(AGGREGATIONS[self.metric_id.aggregation].sql)
        totals = {"counted": (0, 0), "unallocated": (0, 0), "elsewhere": (0, 0)}
        for name, quantity, count in self.env.execute_query(
            SQL(
                """
                WITH own AS MATERIALIZED (%s)
                SELECT 'counted', (%s)::text, count(*)
                  FROM own u WHERE u.place <> 'unallocated' HAVING count(*) > 0
                 UNION ALL
                SELECT u.place, (%s)::text, count(*)
                  FROM own u WHERE u.place <> 'here' GROUP BY u.place
                """,
                self._own_usage(),
                aggregate,
                aggregate,
            )
        ):
            totals[name] = Decimal(quantity), count
        return Ours(
            *totals["counted"],
            Decimal(totals["unallocated"][0]),
            Decimal(totals["elsewhere"][0]),
            self._our_amount(),
        )

    def _own_usage(self):
        """The events of this app that count, each with its ``place`` (SQL).

        That of an event which was recorded without an app is the subscription's.
        """
        return SQL(
            """
            SELECT u.id, u.quantity, u.unique_key, u.period_start,
                   CASE WHEN u.voided_at IS NOT NULL THEN 'elsewhere'
                        WHEN u.unallocated THEN 'unallocated' ELSE 'here' END AS place
              FROM fusion_billing_usage u
              JOIN sale_order o ON o.id = u.subscription_id
             WHERE u.subscription_id = %(order)s AND u.metric_id = %(metric)s
               AND u.period_start >= %(start)s AND u.period_start < %(end)s
               AND coalesce(u.service_id, o.fc_service_id, %(service)s) = %(service)s
               AND (%(moved)s) IS NOT TRUE
               AND (u.voided_at IS NULL OR EXISTS (
                    SELECT FROM fusion_billing_usage m
                     WHERE %(moved_m)s AND m.metric_id = u.metric_id
                       AND m.voided_at IS NULL
                       AND substr(m.idempotency_key, 8) = u.id::text))
            """,
            order=self.subscription_id.id,
            metric=self.metric_id.id,
            start=self.window_start,
            end=self.window_end,
            service=self.service_id.id,
            moved=SQL(MOVED.replace("(idem", "(u.idem")),
            moved_m=SQL(MOVED.replace("(idem", "(m.idem")),
        )

    def _our_amount(self):
        self.env["fusion.billing.rating"].flush_model()
        [[amount]] = self.env.execute_query(
            SQL(
                """
                SELECT coalesce(sum(amount_untaxed), 0)::text
                  FROM fusion_billing_rating
                 WHERE subscription_id = %s AND metric_id = %s AND state != 'released'
                   AND window_start >= %s AND window_end <= %s AND currency_id = %s
                """,
                self.subscription_id.id,
                self.metric_id.id,
                self.window_start,
                self.window_end,
                self.currency_id.id,
            )
        )
        return Decimal(amount)

    def _which_windows(self):
        """Whether the declared span is a billing window, several, or none (str)."""
        self.env["fusion.billing.window"].flush_model()
        [[count, inside, covered]] = self.env.execute_query(
            SQL(
                """
                SELECT count(*), count(*) FILTER (WHERE start >= %(start)s
                                                    AND "end" <= %(end)s),
                       sum(least("end", %(end)s) - greatest(start, %(start)s))
                       = %(end)s::timestamp - %(start)s::timestamp
                  FROM fusion_billing_window
                 WHERE subscription_id = %(order)s AND kind = 'billing'
                   AND start < %(end)s AND "end" > %(start)s
                """,
                start=self.window_start,
                end=self.window_end,
                order=self.subscription_id.id,
            )
        )
        if not count:
            return NONE
        if not covered or inside < count:
            return PART
        return WINDOW if count == 1 else WINDOWS
