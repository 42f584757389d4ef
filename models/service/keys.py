from odoo import api, fields, models
from odoo.fields import Domain

from ..base import groups
from .api_key import SCOPES


class FusionBillingServiceKeys(models.AbstractModel):
    """The API keys of a service. One of them, with all scopes, is its main key."""

    _name = "fusion.billing.service.keys"
    _description = "API Keys of a Source App"

    api_key_ids = fields.One2many(
        "fusion.billing.api.key", "service_id", string="API Keys"
    )
    main_api_key_id = fields.Many2one(
        "fusion.billing.api.key",
        string="Main API Key",
        compute="_compute_main_api_key_id",
        compute_sudo=True,
    )
    api_key_hash = fields.Char(
        "API Key Hash",
        compute="_compute_api_key_hash",
        inverse="_inverse_api_key_hash",
        search="_search_api_key_hash",
        groups=groups.ADMIN,
        help="SHA-256 of the main key, in hex. The key itself is not kept.",
    )
    has_api_key = fields.Boolean(
        "Has API Key", compute="_compute_main_api_key_id", compute_sudo=True
    )
    last_used_at = fields.Datetime(
        string="Last Used On", compute="_compute_last_used_at", compute_sudo=True
    )

    @api.depends(
        "api_key_ids.expires_at",
        "api_key_ids.revoked_at",
        "api_key_ids.replaced_by_id",
        *(f"api_key_ids.{field}" for field in SCOPES.values()),
    )
    def _compute_main_api_key_id(self):
        for service in self:
            live = service.api_key_ids.filtered(
                lambda key: key.state in ("active", "ending")
            )
            service.has_api_key = bool(live)
            service.main_api_key_id = live.filtered(
                lambda key: (
                    not key.replaced_by_id and all(key._allows(s) for s in SCOPES)
                )
            ).sorted("id")[-1:]

    @api.depends("main_api_key_id")
    def _compute_api_key_hash(self):
        for service in self:
            # As it is stored: a form can be filled with a key of somebody else's.
            service.api_key_hash = service._origin.main_api_key_id.sudo().key_hash

    def _inverse_api_key_hash(self):
        """Take the hash of a key from elsewhere; it replaces the main one at once."""
        for service in self:
            service._set_main_key_hash(service.api_key_hash)

    def _set_main_key_hash(self, key_hash):
        """Make the key with this hash the main one; False: have none.

        :param key_hash: SHA-256 of a key, in hex (str), or False
        :raises AccessError: the user is no billing administrator
        """
        Key = self.env["fusion.billing.api.key"].sudo()
        self.env["fusion.billing.api.key"]._check_may_manage()
        main = self.main_api_key_id.with_env(self.env)
        if (main.sudo().key_hash or False) == (key_hash or False):
            return
        main.action_revoke()
        if not key_hash:
            return
        values = {field: True for field in SCOPES.values()} | {
            "expires_at": False,
            "revoked_at": False,
            "replaced_by_id": False,
        }
        key = Key.search([("service_id", "=", self.id), ("key_hash", "=", key_hash)])
        if key:  # this key was there before, and had ended
            key.write(values)
        else:
            values |= {"service_id": self.id, "key_hash": key_hash}
            key = Key.create(values | {"name": self.env._("Main key")})
        key._log_in_chatter(self.env._("API key %s issued.", key._label()))

    def _search_api_key_hash(self, operator, value):
        if operator != "in":
            return NotImplemented
        main = self.env["fusion.billing.api.key"]._main_domain()
        found = Domain("api_key_ids", "any", main & Domain("key_hash", "in", value))
        if False in value:
            found |= ~Domain("api_key_ids", "any", main)
        return found

    @api.depends("api_key_ids.last_used_at")
    def _compute_last_used_at(self):
        for service in self:
            used = [key.last_used_at for key in service.api_key_ids if key.last_used_at]
            service.last_used_at = max(used, default=False)

    def action_generate_api_key(self, overlap_hours=24.0, expires_at=False):
        """Issue a main key, in place of the one there is, and return it.

        It is shown this once and never kept.

        :param float overlap_hours: how long the key replaced by it stays valid
        :param expires_at: UTC datetime from which the new key is refused
        :return: the raw key (str)
        :raises AccessError: the user is no billing administrator
        """
        self.ensure_one()
        self.check_access("write")
        Key = self.env["fusion.billing.api.key"]
        Key._check_may_manage()
        if self.main_api_key_id:
            key = self.main_api_key_id.with_env(self.env)
            return key._replace(overlap_hours, expires_at)[1]
        name = self.env._("Main key")
        return Key._issue(self, name, expires_at=expires_at)[1]

    def action_open_api_key_wizard(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New API Key"),
            "res_model": "fusion.billing.api.key.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_service_id": self.id},
        }

    def action_revoke_api_key(self):
        """Refuse every key of these services from now on.

        :raises AccessError: the user is no billing administrator
        """
        self.check_access("write")
        self.env["fusion.billing.api.key"]._check_may_manage()
        self.api_key_ids.action_revoke()

    @api.model
    def _match_api_key(self, raw_key):
        """Return the active service a bearer key belongs to, else an empty set.

        :param str raw_key: the key as sent
        """
        return self.env["fusion.billing.api.key"]._authenticate(raw_key).service_id
