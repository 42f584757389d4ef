from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...engine.api.refused import body_digest, event_of, kept_body
from ..base.insert_rows import insert_rows

KEEP_PARAMETER = "fusion_centralized_billing.refused_days"
MOST_PARAMETER = "fusion_centralized_billing.max_refused"
KEEP_DAYS, MOST = 90, 20_000
BATCH = 1_000
PRUNED = 10_000
# Held while rows are counted and added, so that requests at once do not pass the cap.
_LOCK = "fcb_refused"
# Columns of a row that is inserted, in the order of its values.
_TYPES = {
    "service_id": "int",
    "digest": "text",
    "body": "text",
    "is_cut": "bool",
    "code": "text",
    "field": "text",
    "reason": "text",
    "subscription_name": "text",
    "metric_code": "text",
    "idempotency_key": "text",
    "refused_at": "timestamp",
    "last_refused_at": "timestamp",
    "times": "int",
    "state": "text",
}


class FusionBillingUsageRefused(models.Model):
    """Usage that an app sent and that was not stored: refused, or in conflict.

    One row for each event, however often it comes. At most so many of an app: what is
    beyond is counted, with the requests over the rate limit. What was wrong can be
    mended, and the event tried again, by the same validation.
    """

    _name = "fusion.billing.usage.refused"
    _description = "Refused Usage"
    _inherit = ["fusion.billing.guarded"]
    _order = "last_refused_at desc, id desc"
    _log_access = False

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="service_id.company_id")
    digest = fields.Char(required=True, readonly=True)
    body = fields.Text(
        string="Event",
        required=True,
        readonly=True,
        help="What the app sent, as JSON. Unknown fields are left out.",
    )
    is_cut = fields.Boolean(
        string="Incomplete",
        readonly=True,
        help="Part of it was too large, looked like a secret or is nothing that events "
        "have, and was not kept. The app has to send it again.",
    )
    code = fields.Char(string="Error Code", readonly=True)
    field = fields.Char(readonly=True, help="Which value was refused.")
    reason = fields.Char(readonly=True)
    advice = fields.Char(string="What to Do", compute="_compute_advice")
    subscription_name = fields.Char(
        string="Subscription ID in the App",
        readonly=True,
        help="What the app calls the subscription.",
    )
    metric_code = fields.Char(readonly=True)
    quantity_text = fields.Char(string="Quantity", compute="_compute_texts")
    period_text = fields.Char(string="Period", compute="_compute_texts")
    idempotency_key = fields.Char(readonly=True)
    refused_at = fields.Datetime(string="First Refused", required=True, readonly=True)
    last_refused_at = fields.Datetime(string="Last Refused", readonly=True)
    times = fields.Integer(
        readonly=True, aggregator=None, help="How often the app sent it."
    )
    state = fields.Selection(
        [
            ("refused", "Refused"),
            ("recorded", "Recorded"),
            ("dismissed", "Dismissed"),
        ],
        string="Status",
        required=True,
        readonly=True,
        help="Recorded: it was tried again and is stored now, once.\n"
        "Dismissed: a user decided not to bill it.",
    )
    subscription_id = fields.Many2one(
        "sale.order",
        string="Record On",
        ondelete="set null",
        index="btree_not_null",
        domain="[('is_subscription', '=', True), ('company_id', '=', company_id)]",
        check_company=True,
        help="If the app did not name a valid subscription: the subscription it meant. "
        "It must belong to a customer of this app.",
    )
    settled_uid = fields.Many2one("res.users", string="Handled By", readonly=True)
    settled_at = fields.Datetime(string="Handled On", readonly=True)

    _once = models.UniqueIndex("(service_id, digest)")
    _age = models.Index("(last_refused_at)")

    @api.depends("code", "is_cut")
    def _compute_advice(self):
        advice = {
            "unknown_metric": self.env._(
                "Add a metric with this code, then try again."
            ),
            "unknown_subscription": self.env._(
                "Give the subscription the ID that the app uses, link its "
                "customer, or choose it under Record On. Then try again."
            ),
            "idempotency_conflict": self.env._(
                "The app has used this idempotency key for different content. The "
                "first event counts. Void that one, or dismiss this one."
            ),
            "period_in_future": self.env._(
                "Try again when the start of its usage is no longer in the future."
            ),
        }
        other = self.env._("The app has to correct it and send it again.")
        for refused in self:
            refused.advice = (
                other if refused.is_cut else advice.get(refused.code, other)
            )

    @api.depends("body")
    def _compute_texts(self):
        for refused in self:
            event = event_of(refused.body or "{}")
            refused.quantity_text = _text(event.get("quantity"))
            period = (_text(event.get(f"period_{end}")) for end in ("start", "end"))
            refused.period_text = " – ".join(filter(None, period))

    @api.depends("subscription_name", "metric_code", "reason")
    def _compute_display_name(self):
        for refused in self:
            parts = (refused.subscription_name, refused.metric_code, refused.reason)
            refused.display_name = " · ".join(filter(None, parts))

    # -- kept ------------------------------------------------------------------

    @api.model
    def _keep(self, service, raw_events, results):
        """Keep the events of a request that were refused; in one statement.

        In the transaction of the request, which is committed with its good events.

        :param service: the ``fusion.billing.service`` that sent them
        :param list raw_events: as they came
        :param list results: of each the ``UsageResult``, see
            ``fusion.billing.usage._ingest``
        """
        refused = [
            (event, result)
            for event, result in zip(raw_events, results, strict=True)
            if result.status in ("rejected", "conflict")
        ]
        if not refused:
            return
        now, rows = fields.Datetime.now(), {}
        for event, result in refused:
            values = _values(event, result)
            row = (service.id, *values, now, now, 1, "refused")
            rows.setdefault(values[0], row)
        # Sorted: requests that refuse the same wait for each other in one order.
        rows = [rows[digest] for digest in sorted(rows)]
        self._add(service, rows)

    @api.model
    def _add(self, service, rows):
        self.flush_model()
        self.env.cr.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), %s)", [_LOCK, service.id]
        )
        self.env.cr.execute(
            """
            UPDATE fusion_billing_usage_refused r
               SET times = r.times + 1, last_refused_at = n.at, code = n.code,
                   field = n.field, reason = n.reason,
                   state = CASE r.state WHEN 'recorded' THEN 'refused'
                                        ELSE r.state END
              FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[],
                          %s::timestamp[])
                   AS n(digest, code, field, reason, at)
             WHERE r.service_id = %s AND r.digest = n.digest
            RETURNING r.digest
            """,
            [
                *([row[place] for row in rows] for place in (1, 4, 5, 6, 10)),
                service.id,
            ],
        )
        known = {digest for (digest,) in self.env.cr.fetchall()}
        fresh = [row for row in rows if row[1] not in known]
        if fresh:
            most = self._number(MOST_PARAMETER, MOST)
            self.env.cr.execute(
                "SELECT count(*) FROM (SELECT FROM fusion_billing_usage_refused"
                " WHERE service_id = %s LIMIT %s) kept",
                [service.id, most],
            )
            room = max(0, most - self.env.cr.fetchone()[0])
            insert_rows(self.env, self._table, _TYPES, fresh[:room])
            if len(fresh) > room:
                Counted = self.env["fusion.billing.api.refusal"]
                Counted._count_events(service, len(fresh) - room)
        self.invalidate_model()

    @api.model
    def _number(self, parameter, default):
        text = self.env["ir.config_parameter"].sudo().get_param(parameter) or ""
        return min(int(text), 10_000_000) if text.isdecimal() else default

    # -- settled ---------------------------------------------------------------

    def action_retry(self):
        """Try again, as if the app had sent them now; what is stored is stored once."""
        self.check_access("write")
        tried = self.filtered(lambda r: r.state == "refused" and not r.is_cut)
        recorded = 0
        for service, rows in tried.grouped("service_id").items():
            for start in range(0, len(rows), BATCH):
                recorded += rows[start : start + BATCH]._retry(service)
        message = self.env._(
            "%(recorded)s recorded, %(refused)s still refused.",
            recorded=recorded,
            refused=len(tried) - recorded,
        )
        if len(tried) < len(self):
            message += " " + self.env._(
                "%s were skipped: already handled, or not kept in full.",
                len(self) - len(tried),
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if recorded == len(self) else "warning",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _retry(self, service):
        """Send these through the validation of the API; return how many are stored."""
        events = [refused._event() for refused in self]
        Usage = service._api_env()["fusion.billing.usage"]
        results = Usage._ingest(service.sudo(), events)
        now, stored = fields.Datetime.now(), self.browse()
        for refused, result in zip(self, results, strict=True):
            if result.status in ("accepted", "duplicate"):
                stored |= refused
            else:
                refused._write_by_code(
                    {
                        "code": result.code,
                        "field": result.field,
                        "reason": result.error,
                    }
                )
        stored._settle("recorded", now)
        return len(stored)

    def _event(self):
        event = event_of(self.body)
        if self.subscription_id:
            event.pop("subscription_external_id", None)
            event["subscription_id"] = self.subscription_id.id
        return event

    def action_dismiss(self):
        """It is not to be billed. It stays on record until its age prunes it."""
        self.check_access("write")
        self.filtered(lambda r: r.state == "refused")._settle("dismissed")

    def action_reopen(self):
        """What was dismissed is to be tried again."""
        self.check_access("write")
        dismissed = self.filtered(lambda r: r.state == "dismissed")
        dismissed._write_by_code(
            {"state": "refused", "settled_uid": False, "settled_at": False}
        )

    def _settle(self, state, now=None):
        self._write_by_code(
            {
                "state": state,
                "settled_uid": self.env.uid,
                "settled_at": now or fields.Datetime.now(),
            }
        )

    def write(self, vals):
        if "subscription_id" in vals and any(r.state != "refused" for r in self):
            raise UserError(
                self.env._("This usage has already been handled and cannot be changed.")
            )
        return super().write(vals)

    # -- pruned ----------------------------------------------------------------

    @api.autovacuum
    def _prune(self):
        """Delete what nobody has sent for as long as the setting says, in batches.

        :return: (deleted, whether more is left), as Odoo's vacuum wants it
        """
        days = min(self._number(KEEP_PARAMETER, KEEP_DAYS), 36_500)
        self.env.cr.execute(
            """
            DELETE FROM fusion_billing_usage_refused
             WHERE id IN (SELECT id FROM fusion_billing_usage_refused
                           WHERE last_refused_at < %s LIMIT %s)
            """,
            [fields.Datetime.now() - timedelta(days=days), PRUNED],
        )
        return self.env.cr.rowcount, self.env.cr.rowcount == PRUNED


def _values(event, result):
    """The columns of a row that an event and its result say, from digest on."""
    body, is_cut = kept_body(event)
    kept = event_of(body)
    name = kept.get("subscription_external_id") or kept.get("subscription_id")
    return (
        body_digest(event, body),
        body,
        is_cut,
        result.code,
        result.field,
        result.error,
        _text(name),
        _text(kept.get("metric_code")),
        _text(kept.get("idempotency_key")),
    )


def _text(value):
    """A value of an event as a cell shows it: short, on one line, or None."""
    if value is None or value == "":
        return None
    text = str(value)
    if not text.isprintable():
        text = text[:80].encode("unicode_escape").decode()
    return text[:80]
