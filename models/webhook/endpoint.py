import contextlib

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...engine.errors import BillingError
from ...engine.webhook import egress
from ...engine.webhook.signing import standard_signature
from ..base import groups, secret_box, server_options

# The health of a new address, of which nothing is known yet.
HEALTHY = {
    "webhook_failures": 0,
    "webhook_failing_since": False,
    "webhook_paused_until": False,
    "webhook_disabled_at": False,
    "webhook_disabled_reason": False,
}


class FusionBillingWebhookEndpoint(models.Model):
    """Where the webhooks of a service go, what signs them, and how the receiver does.

    A row of its own: delivery writes to it, and every request reads its service. The
    service has its fields by delegation.
    """

    _name = "fusion.billing.webhook.endpoint"
    _description = "Webhook Endpoint"
    _inherit = ["fusion.billing.guarded"]
    _rec_name = "webhook_url"

    service_ids = fields.One2many(
        "fusion.billing.service", "webhook_endpoint_id", string="Source App"
    )
    webhook_url = fields.Char(string="Webhook URL", copy=False)
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
    webhook_type_ids = fields.Many2many(
        "fusion.billing.webhook.type",
        relation="fusion_billing_webhook_endpoint_type",
        column1="endpoint_id",
        column2="type_id",
        string="Webhook Event Types",
        help="The events that the app is notified of. None chosen: all.",
    )
    webhook_types_since = fields.Datetime(
        readonly=True, copy=False, help="When the events were last chosen."
    )
    webhook_previous_secret_encrypted = fields.Char(
        groups="base.group_system", readonly=True, copy=False, exportable=False
    )
    webhook_previous_until = fields.Datetime(
        string="Old Webhook Secret Valid Until", readonly=True, copy=False
    )
    webhook_is_signed = fields.Boolean(
        string="Webhook Secret Is Set",
        compute="_compute_webhook_is_signed",
        compute_sudo=True,
    )
    webhook_failures = fields.Integer(
        readonly=True,
        copy=False,
        help="Failed attempts in a row: no response, 5xx or 429.",
    )
    webhook_failing_since = fields.Datetime(readonly=True, copy=False)
    webhook_paused_until = fields.Datetime(readonly=True, copy=False)
    webhook_disabled_at = fields.Datetime(
        "Webhooks Disabled On", readonly=True, copy=False
    )
    webhook_disabled_reason = fields.Char(readonly=True, copy=False)
    webhook_asked_on = fields.Date(
        "Last Activity about Webhooks",
        readonly=True,
        copy=False,
        help="When an activity about disabled webhooks was last created.",
    )
    webhook_health = fields.Selection(
        [
            ("none", "No URL"),
            ("healthy", "Healthy"),
            ("failing", "Failing"),
            ("paused", "Paused"),
            ("disabled", "Disabled"),
        ],
        compute="_compute_webhook_health",
    )

    @api.depends("webhook_secret_encrypted")
    def _compute_webhook_secret(self):
        for endpoint in self:
            try:
                endpoint.webhook_secret = endpoint._webhook_secret()
            except UserError:
                # The form must open, so that the secret can be entered again.
                endpoint.webhook_secret = False

    def _webhook_secret(self):
        """The secret in clear (str), or False.

        :raises UserError: it cannot be decrypted with the keys at hand
        """
        self.ensure_one()
        return secret_box.decrypt(self.env, self.sudo().webhook_secret_encrypted)

    def _inverse_webhook_secret(self):
        for endpoint in self:
            endpoint.sudo().webhook_secret_encrypted = endpoint._encrypt_webhook_secret(
                endpoint.webhook_secret
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

    @api.autovacuum
    def _encrypt_with_first_key(self):
        """Encrypt all secrets with the first key, so that older keys can be removed."""
        for endpoint in self.sudo().search([]):
            for name in (
                "webhook_secret_encrypted",
                "webhook_previous_secret_encrypted",
            ):
                with contextlib.suppress(UserError):  # its key is missing
                    renewed = secret_box.renew(self.env, endpoint[name])
                    if renewed != endpoint[name]:
                        endpoint[name] = renewed

    @api.constrains("webhook_url")
    def _check_webhook_url(self):
        """Refuse addresses a webhook must not go to, before one is ever sent.

        The address is checked again, by its resolved IP, at each delivery.
        """
        allowed = self._webhook_allow_list()
        for endpoint in self.filtered("webhook_url"):
            try:
                egress.check_url(endpoint.webhook_url, allowed)
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
        for endpoint in self:
            endpoint.webhook_is_signed = bool(endpoint.webhook_secret_encrypted)

    @api.depends(
        "webhook_url",
        "webhook_failing_since",
        "webhook_paused_until",
        "webhook_disabled_at",
    )
    def _compute_webhook_health(self):
        now = fields.Datetime.now()
        for endpoint in self:
            if not endpoint.webhook_url:
                health = "none"
            elif endpoint.webhook_disabled_at:
                health = "disabled"
            elif endpoint.webhook_paused_until and endpoint.webhook_paused_until > now:
                health = "paused"
            else:
                health = "failing" if endpoint.webhook_failing_since else "healthy"
            endpoint.webhook_health = health

    def write(self, vals):
        result = super().write(vals)
        if "webhook_type_ids" in vals:
            self.sudo().webhook_types_since = fields.Datetime.now()
        if "webhook_url" in vals:
            self.sudo().write(HEALTHY)
        return result
