from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...engine.api.events import content_fingerprint
from ...engine.api.own_keys import moved_key

_MOVED = moved_key("")
# Whether an event stands for another one that finance has billed here instead.
MOVED = f"left(idempotency_key, {len(_MOVED)}) = '{_MOVED}'"


class FusionBillingUsageMove(models.AbstractModel):
    """What finance does with unallocated usage: bill it after all.

    An accepted event never changes. So it is voided, and recorded anew where it is to
    be billed; both say so.
    """

    _name = "fusion.billing.usage.move"
    _description = "Billing of Unallocated Usage"

    moved_to_id = fields.Many2one(
        "fusion.billing.usage",
        string="Billed Instead",
        compute="_compute_moved",
        help="The event that finance has billed in its place.",
    )
    moved_from_id = fields.Many2one(
        "fusion.billing.usage",
        string="In Place Of",
        compute="_compute_moved",
        help="The event, voided now, that this one is billed for.",
    )

    @api.depends("idempotency_key", "voided_at")
    def _compute_moved(self):
        to, voided = {}, self._origin.filtered("voided_at")
        if voided:
            query = SQL(
                "SELECT id, idempotency_key FROM fusion_billing_usage"
                " WHERE %s AND idempotency_key = ANY(%s)",
                SQL(MOVED),
                [moved_key(usage.id) for usage in voided],
            )
            to = {key: event for event, key in self.env.execute_query(query)}
        for usage in self:
            usage.moved_to_id = to.get(moved_key(usage._origin.id))
            key = usage.idempotency_key or ""
            is_moved = key.startswith(_MOVED)
            usage.moved_from_id = int(key.removeprefix(_MOVED)) if is_moved else False

    def action_open_move_wizard(self):
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bill Unallocated Usage"),
            "res_model": "fusion.billing.usage.move.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"active_ids": self.ids},
        }

    def _move_to(self, order, reason):
        """Bill unallocated events with a subscription of the same customer.

        An event keeps its period where that lies in a window of the subscription still
        to be invoiced; else it counts at the beginning of the open one, and is priced
        with the usage of that window.

        :param order: a running ``sale.order``, maybe their own
        :param str reason: shown to everyone who asks why
        :return: the events recorded instead
        :raises UserError: the subscription cannot bill them
        """
        order.ensure_one()
        order.check_access("read")
        self.check_access("write")
        order.check_access("read")  # messages below have the order's name
        Allocation = self.env["fusion.billing.allocation"]
        spans = Allocation._spans_to_bill(order.sudo())
        for usage in self.sudo():
            usage._check_can_move_to(order.sudo(), spans)
        columns = self._columns_of_move(order, spans)
        before = self._quantities_after_move(order, columns, spans)
        scopes = self.sudo()._insert_new(columns, range(len(self)))
        if len(scopes) != len(self):
            raise UserError(
                self.env._("Some of this usage has just been billed by someone else.")
            )
        if before == self._quantities_after_move(order, columns, spans):
            raise UserError(
                self.env._(
                    "%s would not be billed anything more: for this metric only "
                    "one event per billing window counts, and it is a different "
                    "one. Void this usage instead.",
                    order.display_name,
                )
            )
        self._void(
            self.env._(
                "Billed with %(order)s instead: %(reason)s",
                order=order.name,
                reason=reason.strip(),
            )
        )
        return self.search(
            [
                ("subscription_id", "=", order.id),
                ("idempotency_key", "in", columns["idempotency_key"]),
            ]
        )

    def _quantities_after_move(self, order, columns, spans):
        """What the windows come to in which the moved events lie (list of Decimal)."""
        Metric = self.env["fusion.billing.metric"].sudo()
        wanted = {
            (metric, span)
            for metric, start in zip(
                columns["metric_id"], columns["period_start"], strict=True
            )
            for span in spans[metric]
            if span.contains(start)
        }
        return self.sudo()._aggregate_windows(
            [
                (order, Metric.browse(metric), span.start, span.end)
                for metric, span in sorted(
                    wanted, key=lambda pair: (pair[0], pair[1].start)
                )
            ]
        )

    def _check_can_move_to(self, order, spans):
        self.ensure_one()
        if self.voided_at or not self.unallocated:
            raise UserError(
                self.env._("Only unallocated usage can be billed this way.")
            )
        own = self.subscription_id
        if (
            own.partner_id.commercial_partner_id
            != order.partner_id.commercial_partner_id
            or own.company_id != order.company_id
        ):
            raise UserError(
                self.env._("%s belongs to another customer.", order.display_name)
            )
        apps = self.service_id | order.fc_service_id
        if self.service_id and len(apps) > 1:
            raise UserError(
                self.env._(
                    "%(order)s belongs to a different app than the usage.",
                    order=order.display_name,
                )
            )
        if not spans.get(self.metric_id.id):
            raise UserError(
                self.env._(
                    "%(order)s has no price for %(metric)s, or no billing window "
                    "that is still to be invoiced.",
                    order=order.display_name,
                    metric=self.metric_id.name,
                )
            )

    def _columns_of_move(self, order, spans):
        """The columns of the new events, for :meth:`_insert_new`; exact by SQL.

        In the order in which the usage happened: what is moved to one instant keeps it.
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, service_id, metric_id, quantity::text, period_start,
                       period_end, unique_key
                  FROM fusion_billing_usage WHERE id = ANY(%s)
                 ORDER BY period_start, id
                """,
                self.ids,
            )
        )
        columns = {
            name: []
            for name in (
                "service_id",
                "subscription_id",
                "metric_id",
                "quantity",
                "period_start",
                "period_end",
                "idempotency_key",
                "unique_key",
                "fingerprint",
                "unallocated",
                "received_at",
            )
        }
        for usage_id, service, metric, quantity, start, end, unique_key in rows:
            if not any(span.contains(start) for span in spans[metric]):
                start = end = spans[metric][0].start
            quantity = Decimal(quantity)
            values = {
                "service_id": service,
                "subscription_id": order.id,
                "metric_id": metric,
                "quantity": quantity,
                "period_start": start,
                "period_end": end,
                "idempotency_key": moved_key(usage_id),
                "unique_key": unique_key,
                "fingerprint": content_fingerprint(quantity, start, end, unique_key),
                "unallocated": False,
                "received_at": fields.Datetime.now(),
            }
            for name, column in columns.items():
                column.append(values[name])
        return columns
