import hashlib
from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestServiceKeys(BillingCase):
    def _match(self, key):
        return self.env["fusion.billing.service"]._match_api_key(key)

    def test_only_the_sha256_of_the_key_is_stored(self):
        key = self.service.action_generate_api_key()
        self.assertEqual(
            self.service.api_key_hash, hashlib.sha256(key.encode()).hexdigest()
        )
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT k::text FROM fusion_billing_api_key k WHERE service_id = %s",
            [self.service.id],
        )
        self.assertNotIn(key, self.env.cr.fetchone()[0])
        bodies = " ".join(self.service.message_ids.mapped("body"))
        self.assertNotIn(key, bodies)

    def test_a_key_matches_its_own_service(self):
        other = self._create_service(code="other-app")
        key, other_key = (s.action_generate_api_key() for s in (self.service, other))
        self.assertEqual(self._match(key), self.service)
        self.assertEqual(self._match(other_key), other)

    def test_what_is_no_key_matches_nothing(self):
        key = self.service.action_generate_api_key()
        for wrong in ("", None, False, 0, [key], key + "x", key.upper(), b"x", "é"):
            with self.subTest(wrong=wrong):
                self.assertFalse(self._match(wrong))

    def test_an_archived_service_has_no_valid_key(self):
        key = self.service.action_generate_api_key()
        self.service.active = False
        self.assertFalse(self._match(key))

    def test_rotation_keeps_the_old_key_until_the_overlap_ends(self):
        with freeze_time("2026-01-01 12:00:00"):
            old = self.service.action_generate_api_key()
            new = self.service.action_generate_api_key(overlap_hours=24)
        with freeze_time("2026-01-02 11:59:59"):
            self.assertEqual(self._match(old), self.service)
            self.assertEqual(self._match(new), self.service)
        with freeze_time("2026-01-02 12:00:00"):
            self.assertFalse(self._match(old))
            self.assertEqual(self._match(new), self.service)

    def test_an_overlap_never_prolongs_a_key_that_expires(self):
        with freeze_time("2026-01-01 12:00:00"):
            old = self.service.action_generate_api_key(
                expires_at=datetime(2026, 1, 1, 13)
            )
            self.service.action_generate_api_key(overlap_hours=24)
        with freeze_time("2026-01-01 13:00:00"):
            self.assertFalse(self._match(old))

    def test_a_key_expires_at_the_second(self):
        key = self.service.action_generate_api_key(expires_at=datetime(2026, 1, 1, 13))
        with freeze_time("2026-01-01 12:59:59"):
            self.assertEqual(self._match(key), self.service)
        with freeze_time("2026-01-01 13:00:00"):
            self.assertFalse(self._match(key))

    def test_revocation_ends_both_keys_at_once(self):
        old = self.service.action_generate_api_key()
        new = self.service.action_generate_api_key()
        self.service.action_revoke_api_key()
        self.assertFalse(self._match(old))
        self.assertFalse(self._match(new))

    def test_a_billing_manager_may_not_issue_keys(self):
        manager = new_test_user(
            self.env, "billing-manager", "fusion_centralized_billing.group_manager"
        )
        service = self.service.with_user(manager)
        for method in (service.action_generate_api_key, service.action_revoke_api_key):
            with self.subTest(method=method.__name__), self.assertRaises(AccessError):
                method()

    def test_last_use_is_noted_once_a_minute(self):
        self.service.action_generate_api_key()
        self.env.flush_all()
        for at, noted in (
            ("2026-01-01 12:00:00", "2026-01-01 12:00:00"),
            ("2026-01-01 12:00:59", "2026-01-01 12:00:00"),
            ("2026-01-01 12:01:00", "2026-01-01 12:01:00"),
        ):
            with self.subTest(at=at), freeze_time(at):
                with self.enter_registry_test_mode():
                    self.service.main_api_key_id._touch_last_used()
                self.service.invalidate_recordset()
                self.assertEqual(
                    self.service.last_used_at, datetime.fromisoformat(noted)
                )

    def test_the_wizard_hands_the_key_over_without_storing_it(self):
        wizard = self.env["fusion.billing.api.key.wizard"].create(
            {"service_id": self.service.id}
        )
        key = wizard.action_generate()["context"]["default_raw_key"]
        self.assertEqual(self._match(key), self.service)
        self.assertNotIn("raw_key", self._columns(wizard))

    def _columns(self, record):
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
            [record._table],
        )
        return {row[0] for row in self.env.cr.fetchall()}

    def test_the_overlap_is_the_one_the_user_picked(self):
        with freeze_time("2026-01-01 12:00:00"):
            self.service.action_generate_api_key()
            old = self.service.main_api_key_id
            wizard = self.env["fusion.billing.api.key.wizard"].create(
                {
                    "service_id": self.service.id,
                    "replaced_key_id": old.id,
                    "overlap_hours": 2,
                }
            )
            wizard.action_generate()
        self.assertEqual(old.expires_at, datetime(2026, 1, 1, 14))
        self.assertEqual(old.replaced_by_id, self.service.main_api_key_id)
