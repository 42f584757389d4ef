import json
import uuid

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...engine.webhook.event_types import EventPayload, is_known
from ...engine.webhook.signing import canonical_body
from ..base import groups
from ..base.arrival import announce_inserts
from ..base.insert_rows import insert_rows

_TYPES = {
    "service_id": "int",
    "subscription_id": "int",
    "event_id": "varchar",
    "event_type": "varchar",
    "payload": "text",
    "next_attempt_at": "timestamp",
    "state": "varchar",
    "attempts": "int",
    "create_date": "timestamp",
    "write_date": "timestamp",
}

API_VERSION = "2026-01-01"
FROZEN = frozenset(("service_id", "event_id", "event_type", "payload"))


class FusionBillingWebhook(models.Model):
    """Outbox and delivery log. A row is written by the business transaction itself,
    so an event exists exactly when its change was committed.
    """

    _name = "fusion.billing.webhook"
    _description = "Webhook Delivery"
    _inherit = [
        "fusion.billing.guarded",
        "fusion.billing.webhook.delivery",
        "fusion.billing.webhook.retention",
    ]
    _order = "id desc"
    _rec_name = "event_id"

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        ondelete="restrict",
        readonly=True,
    )
    company_id = fields.Many2one(related="service_id.company_id")
    subscription_id = fields.Many2one(
        "sale.order", ondelete="set null", readonly=True, index="btree_not_null"
    )
    invoice_id = fields.Many2one(
        "account.move", compute="_compute_subject", help="The invoice of this event."
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        compute="_compute_subject",
        help="The customer whose subscription, invoice or account the event is about.",
    )
    event_id = fields.Char(string="Event ID", required=True, readonly=True)
    event_type = fields.Char(required=True, readonly=True)
    payload = fields.Text(
        required=True,
        readonly=True,
        help="The body, in canonical JSON. Every attempt sends these very bytes.",
    )
    payload_text = fields.Text(string="Content", compute="_compute_payload_text")
    state = fields.Selection(
        [("pending", "Pending"), ("sent", "Sent"), ("dead", "Undelivered")],
        string="Status",
        required=True,
        default="pending",
        readonly=True,
    )
    attempts = fields.Integer(readonly=True, default=0, aggregator=None)
    next_attempt_at = fields.Datetime(
        readonly=True, help="Empty: the app had no webhook URL."
    )
    first_attempt_at = fields.Datetime("First Attempt On", readonly=True)
    sent_at = fields.Datetime("Sent On", readonly=True)
    last_status = fields.Integer(
        string="Last HTTP Status", readonly=True, aggregator=False
    )
    last_error = fields.Char(readonly=True)
    attempt_ids = fields.One2many("fusion.billing.webhook.attempt", "webhook_id")
    lease_token = fields.Char(readonly=True, groups="base.group_system")
    lease_expires_at = fields.Datetime(readonly=True, groups="base.group_system")

    _event_id_unique = models.Constraint(
        "UNIQUE (event_id)", "The event ID must be unique."
    )
    # The claim: what is due of a service, oldest first.
    _due = models.Index("(service_id, next_attempt_at, id) WHERE state = 'pending'")
    _of_service = models.Index("(service_id, id)")
    _dead = models.Index("(service_id, id) WHERE state = 'dead'")

    def init(self):
        announce_inserts(self.env.cr, self._table)

    @api.model
    def _enqueue(self, service, event_type, data):
        """Write one event to the outbox, in the caller's transaction.

        :param service: the ``fusion.billing.service`` that is told
        :param str event_type: see engine/webhook/event_types.py
        :param dict data: JSON-able: of our types ``as_json()`` of its shape, see
            engine/webhook/event_types.py. The event is of its ``subscription_id``
        :return: the new ``fusion.billing.webhook`` record; none, where the service
            has not chosen the type
        """
        return self._enqueue_all([(service, event_type, data)])

    @api.model
    def _enqueue_all(self, events):
        """Write many events to the outbox at once, as :meth:`_enqueue` does one.

        :param events: iterable of (service, event type, data)
        :return: the new ``fusion.billing.webhook`` records, in order
        :raises ValueError: a type that nobody was told there is
        """
        now = fields.Datetime.now()
        events = list(events)
        for _service, event_type, _data in events:
            if not is_known(event_type):
                raise ValueError(f"unknown event type: {event_type}")
        events = [event for event in events if event[0]._webhook_wants(event[1])]
        if not events:
            return self.browse()
        numbers = (
            self.env["fusion.billing.webhook.sequence"]
            .sudo()
            ._next([(s.id, data.get("subscription_id")) for s, _type, data in events])
        )
        values = [
            self._prepare_values(now, number, *event)
            for number, event in zip(numbers, events, strict=True)
        ]
        # A rating run can have some for each window: not by create().
        rows = insert_rows(
            self.env, "fusion_billing_webhook", _TYPES, values, "RETURNING id"
        )
        self.env["fusion.billing.service"].invalidate_model(["webhook_ids"])
        self._trigger_delivery()
        return self.sudo().browse([row_id for [row_id] in rows])

    @api.model
    def _prepare_values(self, now, number, service, event_type, data):
        event_id = f"evt_{uuid.uuid4().hex}"
        payload = EventPayload(
            api_version=API_VERSION,
            id=event_id,
            type=event_type,
            created_at=now,
            sequence=number,
            service=service.code,
            data=data,
        ).as_json()
        return (
            service.id,
            data.get("subscription_id"),
            event_id,
            event_type,
            canonical_body(payload),
            now if service.webhook_url else None,
            "pending",
            0,
            now,
            now,
        )

    @api.model
    def _trigger_delivery(self):
        """Wake the delivery cron when this transaction commits, once for all of it."""
        data = self.env.cr.precommit.data
        if not data.get("fc_webhook_triggered"):
            data["fc_webhook_triggered"] = True
            cron = self.env.ref(
                "fusion_centralized_billing.cron_deliver_webhooks",
                raise_if_not_found=False,
            )
            if cron:
                cron.sudo()._trigger()

    @api.depends("payload", "subscription_id")
    def _compute_subject(self):
        """The invoice and the customer that the event is about, where they are kept."""
        told = {webhook: json.loads(webhook.payload)["data"] for webhook in self}
        there = {}
        for name, model in (
            ("invoice_id", "account.move"),
            ("partner_id", "res.partner"),
        ):
            numbers = {data.get(name) for data in told.values()} - {None}
            there[name] = self.env[model].sudo().browse(numbers).exists()
        for webhook, data in told.items():
            invoice, partner = (
                there[name].browse(data.get(name)) & there[name]
                for name in ("invoice_id", "partner_id")
            )
            order = webhook.subscription_id.sudo()
            webhook.invoice_id = invoice
            webhook.partner_id = partner or invoice.partner_id or order.partner_id

    @api.depends("payload")
    def _compute_payload_text(self):
        """The payload with line breaks, for people; it is sent without."""
        for webhook in self:
            webhook.payload_text = json.dumps(
                json.loads(webhook.payload), indent=2, ensure_ascii=False
            )

    def action_replay(self):
        """Send again, under the same event id: receivers know it for a repetition."""
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group(groups.MANAGER)):
            raise AccessError(
                self.env._("Only billing managers may send webhooks again.")
            )
        self.fetch(["service_id"])  # without the payloads: there may be many
        for service in self.service_id:
            if not service.webhook_url:
                raise UserError(
                    self.env._(
                        "%(service)s has no webhook URL to send to.",
                        service=service.name,
                    )
                )
        self.flush_recordset()
        # Not by write(), which takes several times as long.
        self.env.cr.execute(
            """
            UPDATE fusion_billing_webhook
               SET state = 'pending', attempts = 0, first_attempt_at = NULL,
                   next_attempt_at = %(now)s, write_uid = %(uid)s,
                   write_date = now() AT TIME ZONE 'UTC'
             WHERE id = ANY(%(ids)s)
            """,
            {"now": fields.Datetime.now(), "uid": self.env.uid, "ids": self.ids},
        )
        self.invalidate_recordset()
        self._trigger_delivery()

    @api.autovacuum
    def _gc_old(self):
        return self._prune()

    def write(self, vals):
        if FROZEN & vals.keys():
            raise UserError(self.env._("A webhook event cannot be changed."))
        return super().write(vals)
