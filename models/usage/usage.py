from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError, ValidationError
from odoo.tools import SQL

from ...engine.billing.aggregation import AGGREGATIONS
from ..base.arrival import announce_inserts
from .move import MOVED

FROZEN = frozenset(
    (
        "service_id",
        "subscription_id",
        "metric_id",
        "quantity",
        "period_start",
        "period_end",
        "idempotency_key",
        "unique_key",
        "fingerprint",
        "received_at",
    )
)


class FusionBillingUsage(models.Model):
    """Accepted usage events. Append-only: a correction is a void and a new event.

    The one table that grows without bound. Every access path begins with the
    subscription and nothing refers to its rows, so it can be partitioned by
    subscription without a change here. It keeps no create/write columns:
    ``received_at`` says when, the service says who.
    """

    _name = "fusion.billing.usage"
    _description = "Usage Event"
    _inherit = [
        "fusion.billing.guarded",
        "fusion.billing.usage.billed",
        "fusion.billing.usage.ingestion",
        "fusion.billing.usage.store",
        "fusion.billing.usage.move",
        "fusion.billing.usage.unallocated",
        "fusion.billing.usage.void",
    ]
    _order = "id desc"
    _log_access = False

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        ondelete="restrict",
        readonly=True,
    )
    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="restrict", readonly=True
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id")
    company_id = fields.Many2one(related="subscription_id.company_id")
    metric_id = fields.Many2one(
        "fusion.billing.metric", required=True, ondelete="restrict", readonly=True
    )
    # Added up only where that is a quantity of something: see _read_group_select.
    quantity = fields.Float(digits=False, required=True, readonly=True)
    period_start = fields.Datetime("Used From", required=True, readonly=True)
    period_end = fields.Datetime("Used Until", required=True, readonly=True)
    idempotency_key = fields.Char(readonly=True)
    unique_key = fields.Char(
        readonly=True, help="What a unique-count metric counts, for example a user id."
    )
    fingerprint = fields.Char(
        readonly=True, help="Digest of the content: tells a repetition from a conflict."
    )
    received_at = fields.Datetime(
        "Received On", readonly=True, required=True, default=fields.Datetime.now
    )
    unallocated = fields.Boolean(
        readonly=True,
        help="No invoice bills it automatically: it lies in no billing window of the "
        "subscription, or the plan has no price for the metric.",
    )
    state = fields.Selection(
        [
            ("accepted", "Accepted"),
            ("unallocated", "Unallocated"),
            ("voided", "Voided"),
        ],
        string="Status",
        compute="_compute_state",
    )
    voided_at = fields.Datetime("Voided On", readonly=True)
    void_uid = fields.Many2one("res.users", string="Voided By", readonly=True)
    void_service_id = fields.Many2one(
        "fusion.billing.service",
        string="Voided by App",
        ondelete="restrict",
        readonly=True,
    )
    void_reason = fields.Char(readonly=True)

    _quantity_valid = models.Constraint(
        # NaN and Infinity pass ">= 0" and would poison every sum.
        "CHECK (quantity >= 0 AND quantity < 1e16)",
        "A quantity must be zero or more, and below 10^16.",
    )
    _period_in_order = models.Constraint(
        "CHECK (period_end >= period_start)", "The end must be after the start."
    )
    _idempotency = models.Constraint(
        "UNIQUE (subscription_id, metric_id, idempotency_key)",
        "This event is already recorded.",
    )
    # The aggregation of a window: a range of one subscription and metric, from
    # the index alone where the sum needs nothing else.
    # Voided events are in it, too: the digest of a settled window reads all of them.
    _window = models.Index(
        "(subscription_id, metric_id, period_start) INCLUDE (quantity, voided_at)"
    )

    # What finance has to decide on; a small part of the table. "IS TRUE", as a domain
    # says it: PostgreSQL 15 does not see that it is the same as the bare column.
    _unallocated = models.Index(
        "(subscription_id, metric_id) WHERE unallocated IS TRUE AND voided_at IS NULL"
    )

    # What finance has billed in another place than it was sent for: a handful.
    _moved = models.Index(
        f"(subscription_id, metric_id, idempotency_key) WHERE {MOVED}"
    )

    def init(self):
        announce_inserts(self.env.cr, self._table)

    @api.depends("unallocated", "voided_at")
    def _compute_state(self):
        for usage in self:
            if usage.voided_at:
                usage.state = "voided"
            else:
                usage.state = "unallocated" if usage.unallocated else "accepted"

    @api.depends("subscription_id.name", "metric_id.name", "period_start")
    def _compute_display_name(self):
        for usage in self:
            # As it is stored: a form can be filled with an order of somebody else's.
            order = usage._origin.subscription_id.sudo()
            usage.display_name = (
                f"{order.name} {usage.metric_id.name} "
                f"{fields.Datetime.to_string(usage.period_start)}"
            )

    @api.model
    def _read_group_select(self, aggregate_spec, query):
        """A sum of quantities is what is billed, or nothing.

        Of one metric, and one that adds up; without what was voided. Only what a rating
        that is on an invoice has counted (``fc_as_billed``) is added as it was then.
        """
        sql = super()._read_group_select(aggregate_spec, query)
        if not aggregate_spec.startswith("quantity:"):
            return sql
        metric = self._field_to_sql(self._table, "metric_id", query)
        voided = self._field_to_sql(self._table, "voided_at", query)
        added = self.env["fusion.billing.metric"].sudo().with_context(active_test=False)
        if not self.env.context.get("fc_as_billed"):
            sql = SQL("%s FILTER (WHERE %s IS NULL)", sql, voided)
        return SQL(
            "CASE WHEN min(%(metric)s) = max(%(metric)s)"
            " AND min(%(metric)s) = ANY(%(added)s) THEN %(sum)s END",
            metric=metric,
            added=added.search([("aggregation", "=", "sum")]).ids,
            sum=sql,
        )

    @api.model_create_multi
    def create(self, vals_list):
        usages = super().create(vals_list)
        usages._queue_rating()
        return usages

    def write(self, vals):
        if FROZEN & vals.keys():
            raise UserError(
                self.env._(
                    "An accepted usage event does not change. Void it, with a "
                    "reason, and record the right one."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._(
                "Usage events cannot be deleted. Void the event, with a reason, "
                "instead."
            )
        )

    @api.model
    def load(self, fields, data):
        """Odoo's own import would pass the validation by; lead to ours."""
        self.check_access("read")
        raise RedirectWarning(
            self.env._(
                "Use Usage > Import Usage instead: each row is checked as if an "
                "app had sent it, and is stored once."
            ),
            self.env.ref("fusion_centralized_billing.usage_import_action").id,
            self.env._("Import Usage"),
        )

    def action_open_void_wizard(self):
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Void Usage"),
            "res_model": "fusion.billing.usage.void.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"active_ids": self.ids},
        }

    def _void(self, reason):
        """Take events out of billing, keeping them on record.

        :param str reason: shown to everyone who asks where the usage went
        :raises ValidationError: no reason given
        """
        if not (reason or "").strip():
            raise ValidationError(
                self.env._("Enter the reason why the usage is voided.")
            )
        self.check_access("write")
        live = self.filtered(lambda usage: not usage.voided_at).sudo()
        live._note_voided(live.ids)
        live.write(
            {
                "voided_at": fields.Datetime.now(),
                "void_uid": self.env.uid,
                "void_reason": reason.strip(),
            }
        )
        live._queue_rating()

    def _queue_rating(self):
        """Have the subscriptions of these events rated again."""
        by_order = self.grouped("subscription_id")
        self.env["fusion.billing.rating.queue"].sudo()._add_usage(
            {
                order.id: min(usages.mapped("period_start"))
                for order, usages in by_order.items()
            },
            {order.id: len(usages) for order, usages in by_order.items()},
        )

    @api.model
    def _window_domain(self, subscription, metric, start, end):
        """Domain of the events in ``[start, end)``, voided ones included."""
        return [
            ("subscription_id", "=", subscription.id),
            ("metric_id", "=", metric.id),
            ("period_start", ">=", start),
            ("period_start", "<", end),
        ]

    @api.model
    def _action_view_window(self, subscription, metric, start, end):
        """Action that lists the events of a window, as they count one after another."""
        return self._action_view_behind(
            metric, self._window_domain(subscription, metric, start, end)
        )

    @api.model
    def _action_view_behind(self, metric, domain, **context):
        """Action that lists what a quantity was made of, with its total."""
        action = self.env["ir.actions.actions"]._for_xml_id(
            "fusion_centralized_billing.usage_action_behind"
        )
        measures = ["quantity"] * (metric.sudo().aggregation == "sum") + ["__count"]
        context |= {"pivot_measures": measures, "graph_measure": measures[0]}
        return action | {"domain": list(domain), "context": context}

    @api.model
    def _aggregate(self, subscription, metric, start, end):
        """Quantity of one subscription and metric in the window ``[start, end)``.

        An event belongs to the window its ``period_start`` lies in.

        :param subscription: one ``sale.order`` record
        :param metric: one ``fusion.billing.metric`` record
        :param start: naive UTC datetime, inclusive
        :param end: naive UTC datetime, exclusive
        :return: exact quantity (Decimal)
        """
        [quantity] = self._aggregate_windows([(subscription, metric, start, end)])
        return quantity

    @api.model
    def _aggregate_windows(self, requests):
        """Quantities of many windows, by one query for each aggregation in use.

        :param requests: sequence of (subscription, metric, start, end), as
            :meth:`_aggregate` takes them
        :return: list of Decimal, in the order of the requests
        """
        return [quantity for quantity, _count in self._aggregate_counted(requests)]

    @api.model
    def _aggregate_counted(self, requests):
        """As :meth:`_aggregate_windows`, and of how many events each was made.

        :return: list of (Decimal, int), in the order of the requests
        """
        # The queries read the table, so pending ORM writes (voids) go first.
        self.flush_model()
        found = [(Decimal(0), 0)] * len(requests)
        by_aggregation = defaultdict(list)
        for index, (_order, metric, _start, _end) in enumerate(requests):
            by_aggregation[metric.aggregation].append(index)
        for aggregation, indexes in by_aggregation.items():
            chosen = [requests[index] for index in indexes]
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT w.index, (%(expression)s)::text, count(*)
                      FROM unnest(%(indexes)s::int[], %(orders)s::int[],
                                  %(metrics)s::int[], %(starts)s::timestamp[],
                                  %(ends)s::timestamp[])
                           AS w(index, subscription_id, metric_id, start_at, end_at)
                      JOIN fusion_billing_usage u
                        ON u.subscription_id = w.subscription_id
                       AND u.metric_id = w.metric_id
                       AND u.period_start >= w.start_at
                       AND u.period_start < w.end_at
                       AND u.voided_at IS NULL
                     GROUP BY w.index
                    """,
                    expression=SQL(AGGREGATIONS[aggregation].sql),
                    indexes=indexes,
                    orders=[order.id for order, *_rest in chosen],
                    metrics=[metric.id for _order, metric, *_rest in chosen],
                    starts=[start for *_rest, start, _end in chosen],
                    ends=[end for *_rest, end in chosen],
                )
            )
            for index, quantity, count in rows:
                found[index] = (Decimal(quantity), count)
        return found
