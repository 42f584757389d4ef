import os
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..engine import keys
from .service import ADMIN_GROUP

KEY_FIELDS = frozenset(
    (
        "api_key_hash",
        "api_key_expires_at",
        "previous_api_key_hash",
        "previous_api_key_expires_at",
    )
)


class FusionBillingService(models.Model):
    """API keys: issued once, kept as hashes, rotated with an overlap, revoked."""

    _inherit = "fusion.billing.service"

    api_key_hash = fields.Char(
        copy=False,
        groups=ADMIN_GROUP,
        help="SHA-256 of the key, in hex. The key itself is not kept.",
    )
    api_key_expires_at = fields.Datetime(string="Key Expires", copy=False)
    previous_api_key_hash = fields.Char(copy=False, groups=ADMIN_GROUP)
    previous_api_key_expires_at = fields.Datetime(
        string="Previous Key Expires", copy=False
    )
    last_used_at = fields.Datetime(
        string="Key Last Used", copy=False, readonly=True, help="To the minute."
    )
    has_api_key = fields.Boolean(compute="_compute_has_api_key", compute_sudo=True)

    _api_key_hash_unique = models.UniqueIndex(
        "(api_key_hash) WHERE api_key_hash IS NOT NULL",
        "This key belongs to another service.",
    )

    @api.depends("api_key_hash")
    def _compute_has_api_key(self):
        for service in self:
            service.has_api_key = bool(service.api_key_hash)

    def write(self, vals):
        if KEY_FIELDS & vals.keys():
            self._check_may_manage_keys()
        return super().write(vals)

    @api.model_create_multi
    def create(self, vals_list):
        if any(KEY_FIELDS & vals.keys() for vals in vals_list):
            self._check_may_manage_keys()
        return super().create(vals_list)

    def _check_may_manage_keys(self):
        if not (self.env.su or self.env.user.has_group(ADMIN_GROUP)):
            raise AccessError(
                self.env._("Only billing administrators may manage API keys.")
            )

    def action_generate_api_key(self, overlap_hours=24.0, expires_at=False):
        """Issue a new key and return it. It is shown this once and never kept.

        :param float overlap_hours: how long the key replaced by it stays valid
        :param expires_at: UTC datetime from which the new key is refused
        :return: the raw key (str)
        """
        self.ensure_one()
        self._check_may_manage_keys()
        service = self.sudo()
        raw_key = keys.generate_api_key(os.urandom)
        rotated = bool(service.api_key_hash)
        now = fields.Datetime.now()
        previous = {
            "previous_api_key_hash": False,
            "previous_api_key_expires_at": False,
        }
        if rotated and overlap_hours > 0:
            # An overlap never makes a key live longer than it was meant to.
            ends = now + timedelta(hours=overlap_hours)
            if service.api_key_expires_at:
                ends = min(ends, service.api_key_expires_at)
            previous = {
                "previous_api_key_hash": service.api_key_hash,
                "previous_api_key_expires_at": ends,
            }
        service.write(
            {
                **previous,
                "api_key_hash": keys.hash_api_key(raw_key),
                "api_key_expires_at": expires_at,
            }
        )
        self.message_post(
            body=self.env._("API key replaced; the previous one ends in %s hours.")
            % f"{overlap_hours:g}"
            if rotated
            else self.env._("API key issued.")
        )
        return raw_key

    def action_open_api_key_wizard(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New API Key"),
            "res_model": "fusion.billing.api.key.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_service_id": self.id},
        }

    def action_revoke_api_key(self):
        """Refuse the current and the previous key from now on."""
        self._check_may_manage_keys()
        for service in self:
            service.sudo().write(
                {
                    "api_key_hash": False,
                    "api_key_expires_at": False,
                    "previous_api_key_hash": False,
                    "previous_api_key_expires_at": False,
                }
            )
            service.message_post(body=self.env._("API keys revoked."))

    @api.model
    def _match_api_key(self, raw_key):
        """Return the active service a bearer key belongs to, else an empty set.

        Only digests are compared, and those of 256-bit random keys: how long a
        look-up takes tells nothing about a key.

        :param str raw_key: the key as sent
        """
        if not isinstance(raw_key, str) or not raw_key:
            return self.browse()
        digest = keys.hash_api_key(raw_key)
        now = fields.Datetime.now()
        return self.sudo().search(
            [
                "|",
                "&",
                ("api_key_hash", "=", digest),
                "|",
                ("api_key_expires_at", "=", False),
                ("api_key_expires_at", ">", now),
                "&",
                ("previous_api_key_hash", "=", digest),
                ("previous_api_key_expires_at", ">", now),
            ],
            limit=1,
        )

    def _touch_last_used(self):
        """Note the use of the key, at most once a minute.

        In a transaction of its own: written in the request's, the requests of
        one app would all wait for, and fail on, this one row.
        """
        self.ensure_one()
        now = fields.Datetime.now()
        if self.last_used_at and now - self.last_used_at < timedelta(minutes=1):
            return
        with self.env.registry.cursor() as cr:
            cr.execute(
                """
                UPDATE fusion_billing_service SET last_used_at = %s
                 WHERE id = (SELECT id FROM fusion_billing_service
                              WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)
                """,
                [now, self.id],
            )
