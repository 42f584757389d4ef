import base64
import hashlib
import hmac
import os
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from cryptography.fernet import Fernet
from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import file_path

from ...models.base import secret_box, server_options
from .webhook_case import SECRET, WebhookCase


@tagged("post_install", "-at_install")
class TestWebhookSecret(WebhookCase):
    def test_the_secret_is_encrypted_at_rest_and_not_copied(self):
        self.service.webhook_secret = SECRET
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT e::text FROM fusion_billing_webhook_endpoint e WHERE id = %s",
            [self.service.webhook_endpoint_id.id],
        )
        self.assertNotIn(SECRET[6:20], self.env.cr.fetchone()[0])
        self.service.invalidate_recordset()
        self.assertEqual(self.service.webhook_secret, SECRET)
        with self.assertRaises(ValidationError):
            self.service.webhook_secret = "whsec_not base64"
        copied = self.service.copy({"code": "copied"})
        self.assertFalse(copied.webhook_secret)
        self.assertFalse(copied.api_key_hash)

    def test_both_secrets_sign_while_one_is_replaced(self):
        with freeze_time("2026-01-10 12:00:00"):
            new = self.service._replace_webhook_secret(24)
        self.assertRegex(new, r"^whsec_[A-Za-z0-9+/]{32}$")
        self.assertEqual(self.service.webhook_secret, new)
        for moment, secrets in (
            ("2026-01-11 11:59:59", [new, SECRET]),
            ("2026-01-11 12:00:00", [new]),
        ):
            webhook = self._enqueue()
            webhook.next_attempt_at = datetime(2026, 1, 1)
            with freeze_time(moment):
                [(_url, body, headers)] = self._deliver(self._answer(200))
            signed = f"{webhook.event_id}.{headers['webhook-timestamp']}.".encode()
            expected = [
                "v1,"
                + base64.b64encode(
                    hmac.digest(
                        base64.b64decode(secret.removeprefix("whsec_")),
                        signed + body,
                        "sha256",
                    )
                ).decode()
                for secret in secrets
            ]
            with self.subTest(moment):
                self.assertEqual(headers["webhook-signature"].split(" "), expected)
                self.assertEqual(
                    headers["X-Fusion-Signature"],
                    "sha256=" + hmac.new(new.encode(), body, "sha256").hexdigest(),
                )

    def test_a_secret_without_overlap_is_gone(self):
        new = self.service._replace_webhook_secret(0)
        self.assertEqual(self.service._webhook_secrets(), [new])
        self.assertFalse(self.service.sudo().webhook_previous_secret_encrypted)

    def test_an_overlap_has_an_end(self):
        secrets = self.service._webhook_secrets()
        for hours in (-1, 721, 1e12, float("inf"), float("nan")):
            with self.subTest(hours), self.assertRaisesRegex(UserError, "0 to 720"):
                self.service._replace_webhook_secret(hours)
        self.assertEqual(self.service._webhook_secrets(), secrets)

    def test_nothing_is_sent_unsigned(self):
        self.service.webhook_secret = False
        webhook = self._enqueue()
        self.assertFalse(self._deliver())
        self.assertEqual(webhook.last_error, "no webhook secret")

    def test_both_signatures_verify(self):
        webhook = self._enqueue()
        [(_target, body, headers)] = self._deliver(self._answer(204))
        self.assertEqual(
            headers["X-Fusion-Signature"],
            "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        )
        signed = f"{webhook.event_id}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.digest(b"0123456789abcdef0123456789abcdef", signed, "sha256")
        self.assertEqual(
            headers["webhook-signature"], "v1," + base64.b64encode(digest).decode()
        )

    def test_the_wizard_makes_a_secret_or_takes_one(self):
        Wizard = self.env["fusion.billing.webhook.secret.wizard"]
        shown = Wizard.create({"service_id": self.service.id}).action_generate()
        made = shown["context"]["default_secret"]
        self.assertEqual(self.service._webhook_secrets(), [made, SECRET])
        own = "whsec_" + base64.b64encode(b"of the app").decode()
        wizard = Wizard.create(
            {"service_id": self.service.id, "own_secret": own, "overlap_hours": 0}
        )
        wizard.flush_recordset()
        self.env.cr.execute(
            "SELECT w::text FROM fusion_billing_webhook_secret_wizard w WHERE id = %s",
            [wizard.id],
        )
        self.assertNotIn(own[6:], self.env.cr.fetchone()[0])
        self.assertEqual(
            wizard.action_generate()["type"], "ir.actions.act_window_close"
        )
        self.assertEqual(self.service._webhook_secrets(), [own])
        with self.assertRaises(ValidationError):
            Wizard.create({"service_id": self.service.id, "own_secret": "whsec_?"})

    def test_the_key_that_encrypts_is_replaced(self):
        """The new key goes before the old one, which can go the next day."""
        old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
        with self._keys(old):
            self.service.webhook_secret = SECRET
            self.service._replace_webhook_secret(24)
            secrets = self.service._webhook_secrets()
        self.assertEqual(secrets[1], SECRET)
        with self._keys(f"{new}, {old}"):
            self.assertEqual(self.service._webhook_secrets(), secrets)
            encrypted = self.service.webhook_secret_encrypted
            self.service.webhook_endpoint_id._encrypt_with_first_key()
            renewed = self.service.webhook_secret_encrypted
            self.service.webhook_endpoint_id._encrypt_with_first_key()
        self.assertNotEqual(renewed, encrypted)
        self.assertEqual(self.service.webhook_secret_encrypted, renewed)
        with self._keys(new):
            self.assertEqual(self.service._webhook_secrets(), secrets)

    def test_a_missing_key_is_named(self):
        """The form opens, deliveries say why, and go on when the key is back."""
        key = Fernet.generate_key().decode()
        with self._keys(key):
            self.service.webhook_secret = SECRET
        webhook = self._enqueue()
        with self._keys(Fernet.generate_key().decode()):
            self.env.invalidate_all()
            self.assertFalse(self.service.webhook_secret)
            self.service.webhook_endpoint_id._encrypt_with_first_key()
            self.assertFalse(self._deliver())
        self.assertIn("its key is missing", webhook.last_error)
        self.assertEqual(webhook.state, "pending")
        webhook.next_attempt_at = datetime(2026, 1, 1)
        with self._keys(key):
            self._deliver(self._answer(200))
        self.assertEqual(webhook.state, "sent")

    def test_a_key_file_that_cannot_be_read_is_named(self):
        with (
            TemporaryDirectory() as folder,
            patch.object(secret_box, "config", {"data_dir": folder}),
            self._keys(""),
        ):
            path = Path(folder) / secret_box.KEY_FILE
            path.mkdir()
            with self.assertRaisesRegex(
                UserError, f"{secret_box.KEY_FILE}.* directory"
            ):
                self.service.webhook_secret = SECRET
            path.rmdir()
            path.write_bytes(b"\xff" * 44)
            with self.assertRaisesRegex(UserError, "key file"):
                self.service.webhook_secret = SECRET
            path.unlink()
            self.service.webhook_secret = SECRET  # makes one
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_a_key_file_that_others_can_read_is_not_used(self):
        with (
            TemporaryDirectory() as folder,
            patch.object(secret_box, "config", {"data_dir": folder}),
            self._keys(""),
        ):
            path = Path(folder) / secret_box.KEY_FILE
            token = secret_box.encrypt(self.env, "a secret")
            with self.assertNoLogs("odoo.addons", "WARNING"):
                secret_box.check_at_start()
            for mode in (0o640, 0o604, 0o620, 0o602, 0o644):
                path.chmod(mode)
                with self.subTest(mode=f"{mode:o}"):
                    with self.assertRaisesRegex(UserError, f"mode is {mode:o}"):
                        secret_box.decrypt(self.env, token)
                    with self.assertLogs("odoo.addons", "ERROR") as log:
                        secret_box.check_at_start()
                    self.assertIn("chmod 600", log.output[0])
            path.chmod(0o400)
            self.assertEqual(secret_box.decrypt(self.env, token), "a secret")

    def test_a_key_file_of_somebody_else_is_not_used(self):
        """Who owns it can read it, and put another key there."""
        theirs = os.stat_result((0o600, *[7] * 9))
        with (
            open(os.devnull) as handle,
            patch.object(os, "fstat", lambda _descriptor: theirs),
            patch.object(os, "geteuid", lambda: 4242),
            self.assertRaises(secret_box.Exposed),
        ):
            secret_box.check_private(handle)

    def test_a_key_given_otherwise_needs_no_file(self):
        with (
            TemporaryDirectory() as folder,
            patch.object(secret_box, "config", {"data_dir": folder}),
            self._keys(Fernet.generate_key().decode()),
            self.assertNoLogs("odoo.addons", "WARNING"),
        ):
            (Path(folder) / secret_box.KEY_FILE).touch(0o644)
            secret_box.check_at_start()

    def test_no_secret_in_exports_and_logs(self):
        fields = self.service.fields_get()
        for name, field in fields.items():
            if "secret" in name and field["type"] == "char":
                self.assertFalse(field.get("exportable", True), name)
        new = self.service._replace_webhook_secret(24)
        with self.assertLogs("odoo", "DEBUG") as logs:
            self._enqueue()
            self._deliver(self._answer(500))
            self._enqueue()
            self._deliver(RuntimeError("a mistake of ours"))
        self.assertIn("a mistake of ours", "".join(logs.output))
        told = "".join([*logs.output, *self.service.message_ids.mapped("body")])
        for secret in (SECRET, new):
            self.assertNotIn(secret[6:], told)

    def test_a_neutralized_copy_reaches_nobody(self):
        self.service._replace_webhook_secret(24)
        self.service.action_generate_api_key()
        webhook = self._enqueue()
        # Once the address was another one, which its history says.
        field = self.env["ir.model.fields"]._get(self.service._name, "webhook_url")
        self.env["mail.tracking.value"].create(
            {
                "mail_message_id": self.service.message_post(body=field.name).id,
                "field_id": field.id,
                "old_value_char": "https://old.example.com/hook",
            }
        )
        self.env.flush_all()
        self.assertIn("old.example.com", self._told_of_addresses())
        self.env["fusion.billing.webhook.secret.wizard"].create(
            {"service_id": self.service.id, "own_secret": SECRET}
        )
        self.env.flush_all()
        path = file_path("fusion_centralized_billing/data/neutralize.sql")
        with open(path, encoding="utf-8") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertFalse(self.service.webhook_url)
        self.assertEqual(self.service._webhook_secrets(), [])
        self.assertFalse(self.service.sudo().webhook_previous_secret_encrypted)
        self.assertFalse(self.service.api_key_ids)
        self.assertFalse(self._deliver())
        self.assertEqual(webhook.attempts, 0)
        self.assertNotIn("example.com", self._told_of_addresses())
        self.env.cr.execute(
            "SELECT count(*) FROM fusion_billing_webhook_secret_wizard"
            " WHERE own_secret_encrypted IS NOT NULL"
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def _told_of_addresses(self):
        self.env.cr.execute(
            "SELECT coalesce(string_agg(concat_ws(' ', old_value_char, new_value_char),"
            " ' '), '') FROM mail_tracking_value"
        )
        return self.env.cr.fetchone()[0]

    def _keys(self, keys):
        return patch.object(
            server_options,
            "get",
            lambda name, default="": keys if name == "secret_key" else default,
        )
