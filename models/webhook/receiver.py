import base64
import secrets
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from ...engine.webhook.event_types import TEST, TestData
from ..base import groups, secret_box
from ..base.actions import related_action
from .endpoint import HEALTHY

# After so many attempts in a row without an answer, or with 5xx or 429, the receiver is
# left alone for a while: 1, 2, 4 ... 60 minutes. Then it is tried with one event.
BREAK_AFTER = 5
MAX_PAUSE = timedelta(hours=1)
# After so long without a delivery it is disabled, and somebody is asked to look.
DISABLE_AFTER = timedelta(days=5)
GONE = 410
MAX_OVERLAP_HOURS = 30 * 24


class FusionBillingWebhookReceiver(models.AbstractModel):
    """A service's receiver: what it is told, and when it is left alone."""

    _name = "fusion.billing.webhook.receiver"
    _description = "Webhook Receiver"

    webhook_endpoint_id = fields.Many2one(
        "fusion.billing.webhook.endpoint",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
        copy=False,
    )
    # Fields of the endpoint, as the delegated ones. They are declared here because
    # delegation does not take over what is said of a field (groups, tracking).
    webhook_url = fields.Char(
        related="webhook_endpoint_id.webhook_url",
        readonly=False,
        tracking=True,
        copy=False,
    )
    webhook_secret = fields.Char(
        related="webhook_endpoint_id.webhook_secret",
        readonly=False,
        groups=groups.ADMIN,
        copy=False,
        exportable=False,
    )
    webhook_secret_encrypted = fields.Char(
        related="webhook_endpoint_id.webhook_secret_encrypted",
        groups="base.group_system",
        copy=False,
        exportable=False,
    )
    webhook_previous_secret_encrypted = fields.Char(
        related="webhook_endpoint_id.webhook_previous_secret_encrypted",
        groups="base.group_system",
        copy=False,
        exportable=False,
    )
    webhook_ids = fields.One2many(
        "fusion.billing.webhook", "service_id", string="Webhook Deliveries"
    )
    webhook_count = fields.Integer(
        "Number of Webhook Deliveries", compute="_compute_webhook_count"
    )

    def _compute_webhook_count(self):
        counts = dict(
            self.env["fusion.billing.webhook"]._read_group(
                [("service_id", "in", self.ids)], ["service_id"], ["__count"]
            )
        )
        for service in self:
            service.webhook_count = counts.get(service, 0)

    def _webhook_wants(self, event_type):
        """Whether the service is told of events of a type; of a test it always is."""
        chosen = self.sudo().webhook_type_ids
        return not chosen or event_type in {TEST, *chosen.mapped("code")}

    def _webhook_secrets(self):
        """What signs: the secret, then the one before while that still counts.

        :raises UserError: one cannot be decrypted with the keys at hand
        """
        self.ensure_one()
        found = [self.webhook_endpoint_id._webhook_secret()]
        until = self.webhook_previous_until
        if until and until > fields.Datetime.now():
            previous = self.sudo().webhook_previous_secret_encrypted
            found.append(secret_box.decrypt(self.env, previous))
        return [secret for secret in found if secret]

    def _webhook_heard(self, outcomes):
        """Note how the receiver does, from attempts in the order of their ends.

        :param outcomes: list of ``Outcome``, see sender.py
        :return: whether it is to be sent nothing more for now (bool)
        """
        self.ensure_one()
        now = fields.Datetime.now()
        is_paused = bool(self.webhook_paused_until and self.webhook_paused_until > now)
        failures, since = self.webhook_failures, self.webhook_failing_since
        # Attempts that ran at the same time count once when they lengthen a pause: a
        # longer pause must follow from an attempt that was made after the last pause.
        most = failures if is_paused else max(failures + 1, BREAK_AFTER)
        for outcome in outcomes:
            overloaded = not outcome.status or outcome.status >= 500
            failures = failures + 1 if overloaded or outcome.status == 429 else 0
            failures = min(failures, most)
            since = None if outcome.is_delivered else since or now
        vals = {"webhook_failures": failures, "webhook_failing_since": since or False}
        if failures < BREAK_AFTER:
            vals["webhook_paused_until"] = False
        elif not is_paused:
            pause = timedelta(minutes=2 ** min(failures - BREAK_AFTER, 10))
            vals["webhook_paused_until"] = now + min(pause, MAX_PAUSE)
        if self.webhook_disabled_at:
            pass
        elif any(outcome.status == GONE for outcome in outcomes):
            self._webhook_disable(self.env._("The receiver answered 410 Gone."))
        elif since and now - since >= DISABLE_AFTER:
            self._webhook_disable(
                self.env._(
                    "Nothing could be delivered for %s days.", DISABLE_AFTER.days
                )
            )
        if any(self[name] != value for name, value in vals.items()):
            self.webhook_endpoint_id.sudo().write(vals)
        return bool(self.webhook_paused_until or self.webhook_disabled_at)

    def _webhook_disable(self, reason):
        """Send nothing more until somebody has looked; events are kept meanwhile."""
        self.webhook_endpoint_id.sudo().write(
            {
                "webhook_disabled_at": fields.Datetime.now(),
                "webhook_disabled_reason": reason,
            }
        )
        if user := self._who_looks():
            self.env["fusion.billing.attention"]._ask(
                self.webhook_endpoint_id,
                "webhook_asked_on",
                [("id", "=", self.id)],
                self,
                summary=self.env._("Webhooks of %s are disabled", self.name),
                note=reason,
                user_id=user.id,
            )

    def _check_webhook_url(self):
        """See the endpoint.

        :raises ValidationError: an address that a webhook must not go to
        """
        self.webhook_endpoint_id._check_webhook_url()

    def _replace_webhook_secret(self, overlap_hours, encrypted=None):
        """Put a new secret in place; the old one signs beside it for a while.

        :param float overlap_hours: how long; 0: not at all
        :param encrypted: the new one as ``_encrypt_webhook_secret`` has it; else one
            is made: ``whsec_`` and base64 of 24 random bytes
        :return: the secret that was made (str), or None
        :raises UserError: ``overlap_hours`` is negative, or over 30 days
        """
        self.ensure_one()
        if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:  # NaN is refused, too
            raise UserError(
                self.env._(
                    "The old secret can stay valid for 0 to %s hours.",
                    MAX_OVERLAP_HOURS,
                )
            )
        secret = None
        if not encrypted:
            secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
            encrypted = self.webhook_endpoint_id._encrypt_webhook_secret(secret)
        endpoint = self.webhook_endpoint_id.sudo()
        previous = overlap_hours > 0 and endpoint.webhook_secret_encrypted
        until = fields.Datetime.now() + timedelta(hours=overlap_hours)
        endpoint.write(
            {
                "webhook_previous_secret_encrypted": previous,
                "webhook_previous_until": previous and until,
                "webhook_secret_encrypted": encrypted,
            }
        )
        self.message_post(body=self.env._("The webhook secret was replaced."))
        return secret

    def action_new_webhook_secret(self):
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Webhook Secret"),
            "res_model": "fusion.billing.webhook.secret.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_service_id": self.id},
        }

    def _who_looks(self):
        """The billing manager who is asked to look: of the service's company.

        The responsible, else another one; nobody, where the company has none.
        """
        self.ensure_one()
        managers = (
            self.env.ref(groups.MANAGER)
            .sudo()
            .all_user_ids.filtered(lambda user: self.company_id in user.company_ids)
        )
        return self.user_id if self.user_id in managers else managers.sorted("id")[:1]

    def action_enable_webhooks(self):
        """Send again what has waited, and the rest as it comes."""
        self.check_access("write")
        if not (self.env.su or self.env.user.has_group(groups.MANAGER)):
            raise AccessError(self.env._("Only billing managers may enable webhooks."))
        since = self.webhook_failing_since
        self.webhook_endpoint_id.sudo().write(HEALTHY)
        self.env["fusion.billing.webhook"]._trigger_delivery()
        action = self.action_replay_webhooks()
        if since:
            # What was tried before then for days may have been given up since.
            action["context"]["default_date_from"] = since - DISABLE_AFTER
        return action

    def action_replay_webhooks(self):
        """Offer to send again what was told in a time."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send Webhooks Again"),
            "res_model": "fusion.billing.webhook.replay.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_service_id": self.id},
        }

    def action_view_webhook_attempts(self):
        return related_action(self, "fusion.billing.webhook.attempt") | {
            "view_mode": "graph,pivot,list,form",
            "context": {"search_default_recent": 1},
        }

    def action_view_webhooks(self):
        return related_action(self, "fusion.billing.webhook")

    def action_send_test_webhook(self):
        """Queue a ``webhook.test`` event, to see whether the receiver verifies it."""
        self.check_access("write")
        for service in self:
            self.env["fusion.billing.webhook"]._enqueue(
                service, TEST, TestData().as_json()
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("A test event is being sent."),
            },
        }
