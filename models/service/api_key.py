import os
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...engine.api import keys
from ..base import groups

SCOPES = {"usage": "scope_usage", "read": "scope_read", "manage": "scope_manage"}
MAX_OVERLAP_HOURS = 24 * 90


class FusionBillingApiKey(models.Model):
    """A bearer key of a source app: issued once, kept as a hash, replaced with an
    overlap, revoked. What it may be used for are its scopes.

    Nobody has the right to write here, administrators neither: a key that could be
    edited could be moved to a service of another company, or come back to life.
    """

    _name = "fusion.billing.api.key"
    _description = "API Key"
    _inherit = ["fusion.billing.guarded"]
    _order = "revoked_at desc, expires_at desc, id desc"  # NULL first: the live ones

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="service_id.company_id")
    name = fields.Char(required=True, readonly=True, help="Where the key is used.")
    key_hash = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        groups=groups.ADMIN,
        help="SHA-256 of the key, in hex. The key itself is not kept.",
    )
    key_hint = fields.Char(
        string="Key",
        readonly=True,
        copy=False,
        help="The last characters of the key, to tell it from others.",
    )
    scope_usage = fields.Boolean(
        string="Send Usage",
        default=True,
        readonly=True,
        help="Send, void and reconcile usage.",
    )
    scope_read = fields.Boolean(
        string="Read",
        default=True,
        readonly=True,
        help="Read customers, usage, prices, invoices.",
    )
    scope_manage = fields.Boolean(
        string="Manage",
        default=True,
        readonly=True,
        help="Create customers and subscriptions, cancel subscriptions, send webhooks "
        "again.",
    )
    scope_names = fields.Char(
        string="Permissions",
        compute="_compute_scope_names",
        help="What the key may be used for.",
    )
    issued_at = fields.Datetime(
        string="Issued", readonly=True, default=fields.Datetime.now
    )
    expires_at = fields.Datetime(string="Expires", readonly=True, copy=False)
    revoked_at = fields.Datetime(string="Revoked", readonly=True, copy=False)
    replaced_by_id = fields.Many2one(
        "fusion.billing.api.key",
        string="Replaced By",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    last_used_at = fields.Datetime(
        string="Last Used", readonly=True, copy=False, help="Accurate to the minute."
    )
    state = fields.Selection(
        [
            ("active", "Active"),
            ("ending", "Ending"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
        ],
        string="Status",
        compute="_compute_state",
        help="Ending: it was replaced, or has an expiry date.",
    )

    _key_hash_unique = models.Constraint(
        "UNIQUE (key_hash)", "This key belongs to another source app."
    )
    _some_scope = models.Constraint(
        "CHECK (scope_usage OR scope_read OR scope_manage)",
        "An API key needs at least one permission.",
    )

    @api.depends("name", "key_hint")
    def _compute_display_name(self):
        for key in self:
            key.display_name = f"{key.name} {key.key_hint or ''}".strip()

    @api.depends(*SCOPES.values())
    def _compute_scope_names(self):
        labels = {
            scope: self._fields[field]._description_string(self.env)
            for scope, field in SCOPES.items()
        }
        for key in self:
            allowed = [labels[scope] for scope in SCOPES if key._allows(scope)]
            key.scope_names = (
                self.env._("Everything")
                if len(allowed) == len(SCOPES)
                else ", ".join(allowed)
            )

    @api.depends("expires_at", "revoked_at")
    def _compute_state(self):
        now = fields.Datetime.now()
        for key in self:
            if key.revoked_at:
                key.state = "revoked"
            elif not key.expires_at:
                key.state = "active"
            else:
                key.state = "ending" if key.expires_at > now else "expired"

    @api.model
    def _main_domain(self):
        """Keys that can be the main one of their service."""
        ends = Domain("expires_at", "=", False)
        ends |= Domain("expires_at", ">", fields.Datetime.now())
        unused = ("revoked_at", "replaced_by_id")
        return Domain.AND(
            [
                ends,
                *(Domain(field, "=", False) for field in unused),
                *(Domain(field, "=", True) for field in SCOPES.values()),
            ]
        )

    def _check_may_manage(self):
        if not (self.env.su or self.env.user.has_group(groups.ADMIN)):
            raise AccessError(
                self.env._("Only billing administrators may manage API keys.")
            )

    # -- for people ------------------------------------------------------------

    @api.model
    def _issue(self, service, name, scopes=tuple(SCOPES), expires_at=False):
        """Issue a new key. It is shown this once and never kept.

        :param service: the ``fusion.billing.service`` it is for
        :param str name: where it is used
        :param scopes: any of usage, read, manage
        :param expires_at: naive UTC datetime from which it is refused, or False
        :return: (``fusion.billing.api.key`` record, the raw key)
        """
        self._check_may_manage()
        service.check_access("write")
        raw_key = keys.generate_api_key(os.urandom)
        key = self.sudo().create(
            {
                "service_id": service.id,
                "name": name,
                "key_hash": keys.hash_api_key(raw_key),
                "key_hint": f"…{raw_key[-4:]}",
                "expires_at": expires_at,
                **{field: scope in scopes for scope, field in SCOPES.items()},
            }
        )
        key._log_in_chatter(self.env._("API key %s issued.", key._label()))
        return key.sudo(self.env.su), raw_key

    def _replace(self, overlap_hours=24.0, expires_at=False):
        """Issue a key with the same name and scopes in place of this one.

        :param float overlap_hours: how long this one stays valid
        :param expires_at: naive UTC datetime from which the new one is refused
        :return: (``fusion.billing.api.key`` record, the raw key)
        :raises UserError: this one has ended, or the overlap is negative or too long
        """
        self.ensure_one()
        self._check_may_manage()
        if self.state in ("expired", "revoked"):
            raise UserError(self.env._("This key is no longer valid. Issue a new one."))
        if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
            raise UserError(
                self.env._(
                    "The old key can stay valid for 0 to %s hours.", MAX_OVERLAP_HOURS
                )
            )
        scopes = [scope for scope in SCOPES if self._allows(scope)]
        key, raw_key = self._issue(self.service_id, self.name, scopes, expires_at)
        now = fields.Datetime.now()
        ends = now + timedelta(hours=overlap_hours)
        # An overlap never makes a key live longer than it was meant to.
        if self.expires_at:
            ends = min(ends, self.expires_at)
        self.sudo().write({"expires_at": ends, "replaced_by_id": key.id})
        self._log_in_chatter(
            self.env._(
                "API key %(old)s is replaced by %(new)s; it stops working in "
                "%(hours)s hours.",
                old=self._label(),
                new=key._label(),
                hours=f"{(ends - now) / timedelta(hours=1):.3g}",
            )
        )
        return key, raw_key

    def action_revoke(self):
        """Refuse these keys from now on."""
        self.check_access("read")
        self._check_may_manage()
        self.service_id.check_access("write")
        for key in self.filtered(lambda k: not k.revoked_at):
            key.sudo().revoked_at = fields.Datetime.now()
            key._log_in_chatter(self.env._("API key %s revoked.", key._label()))

    def action_open_replace_wizard(self):
        self.ensure_one()
        self.check_access("read")
        return self.service_id.action_open_api_key_wizard() | {
            "name": self.env._("Replace API Key"),
            "context": {
                "default_service_id": self.service_id.id,
                "default_replaced_key_id": self.id,
            },
        }

    def _label(self):
        self.ensure_one()
        return f'"{self.name}" ({self.key_hint})' if self.key_hint else f'"{self.name}"'

    def _log_in_chatter(self, text):
        for key in self:
            key.service_id.message_post(body=text)

    # -- for requests ----------------------------------------------------------

    @api.model
    def _authenticate(self, raw_key):
        """The live key of an active service that this is, else an empty set.

        Only digests are compared, and those of 256-bit random keys: how long a
        look-up takes tells nothing about a key.

        :param str raw_key: as sent
        :return: ``fusion.billing.api.key`` record, as superuser
        """
        if not isinstance(raw_key, str) or not keys.may_be_key(raw_key):
            return self.sudo().browse()
        # Not search(), nor a query for each record: building them takes longer than
        # running this one, which is part of every request.
        Service = self.env["fusion.billing.service"].sudo()
        Service.flush_model()
        self.sudo().flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT k.id, s.id, s.company_id, s.rate_limit, k.last_used_at,
                       k.scope_usage, k.scope_read, k.scope_manage
                  FROM fusion_billing_api_key k
                  JOIN fusion_billing_service s ON s.id = k.service_id AND s.active
                 WHERE k.key_hash = %s AND k.revoked_at IS NULL
                   AND (k.expires_at IS NULL OR k.expires_at > %s)
                """,
                keys.hash_api_key(raw_key),
                fields.Datetime.now(),
            )
        )
        if not rows:
            return self.sudo().browse()
        key_id, service_id, company_id, rate_limit, last_used_at, *scopes = rows[0]
        key = self.sudo().browse(key_id)
        service = Service.browse(service_id)
        for record, values in (
            (service, {"company_id": company_id, "rate_limit": rate_limit}),
            (key, {"service_id": service_id, "last_used_at": last_used_at}),
            (key, dict(zip(SCOPES.values(), map(bool, scopes), strict=True))),
        ):
            for name, value in values.items():
                record._fields[name]._insert_cache(record, [value])
        return key

    def _allows(self, scope):
        """Whether this key may be used for a scope: usage, read or manage."""
        self.ensure_one()
        return self[SCOPES[scope]]

    def _touch_last_used(self):
        """Note the use of the key, at most once a minute.

        In a transaction of its own: written in the request's, the requests of one
        app would all wait for, and fail on, this one row. So the cursor of the
        environment is one of :func:`.own_transaction.own_statements`.
        """
        self.ensure_one()
        now = fields.Datetime.now()
        if self.last_used_at and now - self.last_used_at < timedelta(minutes=1):
            return
        self.env.cr.execute(
            """
            UPDATE fusion_billing_api_key SET last_used_at = %s
             WHERE id = (SELECT id FROM fusion_billing_api_key
                          WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)
               AND (last_used_at IS NULL OR last_used_at <= %s)
            """,
            [now, self.id, now - timedelta(minutes=1)],
        )
