import base64
import contextlib
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ...engine.errors import BillingError
from ...engine.webhook import egress
from ...engine.webhook.signing import standard_signature
from ..base import groups, secret_box, server_options
from ..base.actions import related_action

# So many attempts in a row without an answer, or with 5xx or 429, and the receiver is
# left alone for a while: 1, 2, 4 ... 60 minutes. Then one event tries it.
BREAK_AFTER = 5
MAX_PAUSE = timedelta(hours=1)
# Nothing was delivered for so long: somebody has to look.
DISABLE_AFTER = timedelta(days=5)
GONE = 410
MAX_OVERLAP_HOURS = 30 * 24
# What is known of an address, and nothing of the next one.
HEALTHY = {
    "webhook_failures": 0,
    "webhook_failing_since": False,
    "webhook_paused_until": False,
    "webhook_disabled_at": False,
    "webhook_disabled_reason": False,
}


class FusionBillingWebhookReceiver(models.AbstractModel):
    """The receiver of a service's webhooks: how it does, and when it is left alone."""

    _name = "fusion.billing.webhook.receiver"
    _description = "Webhook Receiver"

    webhook_url = fields.Char(string="Webhook URL", tracking=True, copy=False)
    webhook_secret = fields.Char(
        compute="_compute_webhook_secret",
        inverse="_inverse_webhook_secret",
        groups=groups.ADMIN,
        copy=False,
        exportable=False,
        help="Signs the webhooks. Kept encrypted.",
    )
    webhook_secret_encrypted = fields.Char(
        groups="base.group_system", readonly=True, copy=False, exportable=False
    )
    webhook_ids = fields.One2many("fusion.billing.webhook", "service_id")
    webhook_count = fields.Integer(compute="_compute_webhook_count")

    webhook_type_ids = fields.Many2many(
        "fusion.billing.webhook.type",
        string="Webhook Events",
        help="What the app is told of. None chosen: everything.",
    )
    webhook_types_since = fields.Datetime(
        readonly=True, copy=False, help="When the choice of events was made last."
    )
    webhook_previous_secret_encrypted = fields.Char(
        groups="base.group_system", readonly=True, copy=False, exportable=False
    )
    webhook_previous_until = fields.Datetime(
        string="Old Webhook Secret Counts Until", readonly=True, copy=False
    )
    webhook_is_signed = fields.Boolean(
        string="Webhook Secret Is Set",
        compute="_compute_webhook_is_signed",
        compute_sudo=True,
    )
    webhook_failures = fields.Integer(
        readonly=True, copy=False, help="Attempts in a row that overloaded it, or more."
    )
    webhook_failing_since = fields.Datetime(readonly=True, copy=False)
    webhook_paused_until = fields.Datetime(readonly=True, copy=False)
    webhook_disabled_at = fields.Datetime(readonly=True, copy=False)
    webhook_disabled_reason = fields.Char(readonly=True, copy=False)
    webhook_asked_on = fields.Date(
        readonly=True,
        copy=False,
        help="When somebody was asked last to look at what is disabled.",
    )
    webhook_health = fields.Selection(
        [
            ("none", "No Address"),
            ("healthy", "Healthy"),
            ("failing", "Failing"),
            ("paused", "Paused"),
            ("disabled", "Disabled"),
        ],
        compute="_compute_webhook_health",
    )

    def _compute_webhook_count(self):
        counts = dict(
            self.env["fusion.billing.webhook"]._read_group(
                [("service_id", "in", self.ids)], ["service_id"], ["__count"]
            )
        )
        for service in self:
            service.webhook_count = counts.get(service, 0)

    @api.depends("webhook_secret_encrypted")
    def _compute_webhook_secret(self):
        for service in self:
            try:
                service.webhook_secret = service._webhook_secret()
            except UserError:
                # The form must open, so that the secret can be entered again.
                service.webhook_secret = False

    def _webhook_secret(self):
        """The secret in clear (str), or False.

        :raises UserError: it cannot be decrypted with the keys at hand
        """
        self.ensure_one()
        return secret_box.decrypt(self.env, self.sudo().webhook_secret_encrypted)

    def _inverse_webhook_secret(self):
        for service in self:
            service.sudo().webhook_secret_encrypted = service._encrypt_webhook_secret(
                service.webhook_secret
            )

    @api.model
    def _encrypt_webhook_secret(self, secret):
        """What is stored of a secret (str, or False).

        :raises ValidationError: a whsec_ secret that is not base64 could sign nothing
        """
        try:
            if secret:
                standard_signature([secret], "", 0, b"")
        except BillingError as exc:
            raise ValidationError(
                self.env._("This webhook secret cannot be used: %s", exc.message)
            ) from exc
        return secret_box.encrypt(self.env, secret)

    @api.model
    def _encrypt_with_first_key(self):
        """Have the first of several keys encrypt all, so that the others can go."""
        for service in self.sudo().with_context(active_test=False).search([]):
            for name in (
                "webhook_secret_encrypted",
                "webhook_previous_secret_encrypted",
            ):
                with contextlib.suppress(UserError):  # its key is missing
                    renewed = secret_box.renew(self.env, service[name])
                    if renewed != service[name]:
                        service[name] = renewed

    @api.constrains("webhook_url")
    def _check_webhook_url(self):
        """Refuse addresses a webhook must not go to, before one is ever sent.

        The address is checked again, by its resolved IP, at each delivery.
        """
        allowed = self._webhook_allow_list()
        for service in self.filtered("webhook_url"):
            try:
                egress.check_url(service.webhook_url, allowed)
            except BillingError as exc:
                raise ValidationError(
                    self.env._(
                        "This webhook address cannot be used: %(reason)s",
                        reason=exc.message,
                    )
                ) from exc

    @api.model
    def _webhook_allow_list(self):
        """(host, port) pairs of odoo.conf that need not be public; empty as shipped."""
        return egress.parse_allow_list(server_options.get("webhook_allow"))

    @api.depends("webhook_secret_encrypted")
    def _compute_webhook_is_signed(self):
        for service in self:
            service.webhook_is_signed = bool(service.webhook_secret_encrypted)

    @api.depends(
        "webhook_url",
        "webhook_failing_since",
        "webhook_paused_until",
        "webhook_disabled_at",
    )
    def _compute_webhook_health(self):
        now = fields.Datetime.now()
        for service in self:
            if not service.webhook_url:
                health = "none"
            elif service.webhook_disabled_at:
                health = "disabled"
            elif service.webhook_paused_until and service.webhook_paused_until > now:
                health = "paused"
            else:
                health = "failing" if service.webhook_failing_since else "healthy"
            service.webhook_health = health

    def write(self, vals):
        result = super().write(vals)
        if "webhook_type_ids" in vals:
            self.sudo().webhook_types_since = fields.Datetime.now()
        if "webhook_url" in vals:
            self.sudo().write(HEALTHY)
        return result

    def _webhook_wants(self, event_type):
        """Whether the service is told of events of a type; of a test it always is."""
        chosen = self.sudo().webhook_type_ids
        return not chosen or event_type in {"webhook.test", *chosen.mapped("code")}

    def _webhook_secrets(self):
        """What signs: the secret, then the one before while that still counts.

        :raises UserError: one cannot be decrypted with the keys at hand
        """
        self.ensure_one()
        found = [self._webhook_secret()]
        until = self.webhook_previous_until
        if until and until > fields.Datetime.now():
            previous = self.sudo().webhook_previous_secret_encrypted
            found.append(secret_box.decrypt(self.env, previous))
        return [secret for secret in found if secret]

    def _replace_webhook_secret(self, overlap_hours, encrypted=None):
        """Put a new secret in place; the old one signs beside it for a while.

        :param float overlap_hours: how long; 0: not at all
        :param encrypted: the new one as ``_encrypt_webhook_secret`` has it; else one
            is made: ``whsec_`` and base64 of 24 random bytes
        :return: the secret that was made (str), or None
        :raises UserError: ``overlap_hours`` is negative, or over 30 days
        """
        self.ensure_one()
        if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:  # nor NaN
            raise UserError(
                self.env._(
                    "The old secret can count for 0 to %s hours.", MAX_OVERLAP_HOURS
                )
            )
        secret = None
        if not encrypted:
            secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
            encrypted = self._encrypt_webhook_secret(secret)
        service = self.sudo()
        previous = overlap_hours > 0 and service.webhook_secret_encrypted
        until = fields.Datetime.now() + timedelta(hours=overlap_hours)
        service.write(
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

    def _webhook_heard(self, outcomes):
        """Note how the receiver does, from attempts in the order of their ends.

        A receiver that is well is not written to: its row is read by every request.

        :param outcomes: list of ``Outcome``, see webhook_sender.py
        :return: whether it is to be sent nothing more for now (bool)
        """
        self.ensure_one()
        now = fields.Datetime.now()
        is_paused = bool(self.webhook_paused_until and self.webhook_paused_until > now)
        failures, since = self.webhook_failures, self.webhook_failing_since
        # Several at once are one sign beyond the first pause: each longer one follows
        # from an attempt that was made after the one before.
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
                self.env._("Nothing was delivered for %s days.", DISABLE_AFTER.days)
            )
        if any(self[name] != value for name, value in vals.items()):
            self.sudo().write(vals)
        return bool(self.webhook_paused_until or self.webhook_disabled_at)

    def _webhook_disable(self, reason):
        """Send nothing more until somebody has looked; events are kept meanwhile."""
        self.sudo().write(
            {
                "webhook_disabled_at": fields.Datetime.now(),
                "webhook_disabled_reason": reason,
            }
        )
        if user := self._who_looks():
            self.env["fusion.billing.attention"]._ask(
                self,
                "webhook_asked_on",
                [("id", "=", self.id)],
                self,
                summary=self.env._("Webhooks of %s are disabled", self.name),
                note=reason,
                user_id=user.id,
            )

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
        self.sudo().write(HEALTHY)
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
            self.env["fusion.billing.webhook"]._enqueue(service, "webhook.test", {})
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("A test event is on its way."),
            },
        }
