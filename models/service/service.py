import contextlib

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ...engine.errors import BillingError
from ...engine.webhook import egress
from ...engine.webhook.signing import standard_signature
from ..base import groups, secret_box, server_options


class FusionBillingService(models.Model):
    """A source app: who may post usage, and where its webhooks go."""

    _name = "fusion.billing.service"
    _description = "Billing Service"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "fusion.billing.guarded",
        "fusion.billing.service.keys",
        "fusion.billing.service.rate.limit",
        "fusion.billing.service.terms",
        "fusion.billing.references",
        "fusion.billing.webhook.receiver",
        "fusion.billing.api.customers",
        "fusion.billing.api.usage",
        "fusion.billing.api.usage.windows",
        "fusion.billing.api.catalog",
        "fusion.billing.api.subscriptions",
        "fusion.billing.api.subscription.create",
        "fusion.billing.api.invoices",
        "fusion.billing.api.reconciliations",
        "fusion.billing.api.events",
    ]
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(required=True, tracking=True, copy=False)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        help="Is asked to look when the app's totals differ from ours.",
    )
    mismatch_asked_on = fields.Date(
        readonly=True,
        copy=False,
        help="When the responsible was asked last to look at totals that differ.",
    )
    uses_external_ids = fields.Boolean(
        string="Has Its Own Subscription Ids",
        readonly=True,
        copy=False,
        help="The app has named a subscription by an id of its own. Since then every id"
        " that it sends is one of its own, also where it is a number.",
    )
    account_link_ids = fields.One2many(
        "fusion.billing.account.link", "service_id", string="Linked Accounts"
    )
    account_link_count = fields.Integer(compute="_compute_account_link_count")
    usage_count = fields.Integer(compute="_compute_usage_count", compute_sudo=True)

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

    _code_unique = models.Constraint("UNIQUE (code)", "A service code is used once.")

    def init(self):
        # Not a model: nobody looks at it, and after a crash all buckets are full.
        self.env.cr.execute(
            """
            CREATE UNLOGGED TABLE IF NOT EXISTS fusion_billing_rate_bucket (
                service_id integer PRIMARY KEY
                    REFERENCES fusion_billing_service ON DELETE CASCADE,
                tokens double precision NOT NULL,
                refilled_at timestamptz NOT NULL,
                granted boolean NOT NULL
            )
            """
        )

    def _register_hook(self):
        super()._register_hook()
        secret_box.check_at_start()

    @api.depends("account_link_ids")
    def _compute_account_link_count(self):
        counts = dict(
            self.env["fusion.billing.account.link"]._read_group(
                [("service_id", "in", self.ids)], ["service_id"], ["__count"]
            )
        )
        for service in self:
            service.account_link_count = counts.get(service, 0)

    def _compute_usage_count(self):
        # Usage is only ever reached through its subscription (its indexes start
        # there), so services show the events of their own customers' orders.
        counts = dict(
            self.env["fusion.billing.usage"]._read_group(
                [
                    ("service_id", "in", self.ids),
                    (
                        "subscription_id.partner_id",
                        "in",
                        self.account_link_ids.partner_id.ids,
                    ),
                ],
                ["service_id"],
                ["__count"],
            )
        )
        for service in self:
            service.usage_count = counts.get(service, 0)

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

    @api.autovacuum
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

    def _api_env(self):
        """The API acts for the service: as superuser, in its company alone.

        Nobody gets an e-mail for each record that an app has put in his name.
        """
        self.ensure_one()
        service = self.sudo().with_company(self.company_id)
        return service.with_context(mail_auto_subscribe_no_notify=True).env

    def _linked_partner_domain(self, field):
        """Domain on a partner field: customers linked to this service.

        An order may stand on a contact of the company that was linked.
        """
        self.ensure_one()
        path = "fc_account_link_ids.service_id"
        return Domain(f"{field}.{path}", "=", self.id) | Domain(
            f"{field}.commercial_partner_id.{path}", "=", self.id
        )

    def action_view_account_links(self):
        return self._action_related("fusion.billing.account.link")

    def action_view_usage(self):
        return self._action_related("fusion.billing.usage")

    def action_view_webhooks(self):
        return self._action_related("fusion.billing.webhook")

    def action_view_api_log(self):
        return self._action_related("fusion.billing.api.log") | {
            "view_mode": "list,pivot,graph"
        }

    def _action_related(self, model):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env[model]._description,
            "res_model": model,
            "view_mode": "list,form",
            "domain": [("service_id", "=", self.id)],
            "context": {"default_service_id": self.id},
        }

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
