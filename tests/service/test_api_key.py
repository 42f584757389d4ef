import importlib.util
from datetime import datetime

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path, mute_logger

from ..common import BillingCase

# sha256sum of "sample" and of "other"
SAMPLE = "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf"
OTHER = "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"


@tagged("post_install", "-at_install")
class TestApiKey(BillingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group = "fusion_centralized_billing.group_"
        cls.admin = new_test_user(cls.env, "fcb-key-admin", group + "admin")
        cls.other_company = cls.env["res.company"].create({"name": "Other Company"})
        cls.foreign = cls._create_service(
            code="foreign-app", company_id=cls.other_company.id
        )
        cls.Key = cls.env["fusion.billing.api.key"]

    def _match(self, raw_key):
        return self.env["fusion.billing.service"]._match_api_key(raw_key)

    def test_an_administrator_does_not_edit_keys(self):
        """With the right to write, one could take a key to another company's service,
        or bring one back that was revoked."""
        self.service.action_generate_api_key()
        key = self.service.main_api_key_id.with_user(self.admin)
        for values in (
            {"service_id": self.foreign.id},
            {"revoked_at": False},
            {"expires_at": False},
            {"key_hash": SAMPLE},
            {"scope_manage": True},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                key.write(values)
            with self.subTest(line=values), self.assertRaises(AccessError):
                self.service.with_user(self.admin).write(
                    {"api_key_ids": [(1, key.id, values)]}
                )
        with self.assertRaises(AccessError):
            self.Key.with_user(self.admin).create(
                {"service_id": self.service.id, "name": "x", "key_hash": SAMPLE}
            )

    def test_an_administrator_manages_the_own_companies_keys_only(self):
        self.foreign.action_generate_api_key()
        theirs = self.foreign.main_api_key_id
        foreign = self.foreign.with_user(self.admin)
        key = theirs.with_user(self.admin)
        wizard = self.env["fusion.billing.api.key.wizard"].with_user(self.admin)
        for act in (
            foreign.action_generate_api_key,
            foreign.action_revoke_api_key,
            key.action_revoke,
            key._replace,
            lambda: foreign.write({"api_key_hash": SAMPLE}),
            lambda: wizard.create({"service_id": foreign.id}).action_generate(),
            lambda: wizard.create(
                {"service_id": self.service.id, "replaced_key_id": key.id}
            ).action_generate(),
        ):
            with self.subTest(act=act), self.assertRaises(AccessError):
                act()
        self.assertEqual(self.foreign.api_key_ids, theirs)
        self.assertEqual(theirs.state, "active")
        service = self.service.with_user(self.admin)
        raw_key = service.action_generate_api_key()
        self.assertEqual(self._match(raw_key), self.service)
        service.main_api_key_id.with_user(self.admin).action_revoke()
        self.assertFalse(self._match(raw_key))

    def test_a_key_that_has_ended_is_not_replaced(self):
        self.service.action_generate_api_key()
        key = self.service.main_api_key_id
        key.action_revoke()
        with self.assertRaises(UserError):
            key._replace()
        self.assertEqual(len(self.service.api_key_ids), 1)

    def test_overlaps_have_bounds(self):
        self.service.action_generate_api_key()
        key = self.service.main_api_key_id
        for hours in (-1, 24 * 90 + 1, 1e300, float("inf"), float("nan")):
            with self.subTest(hours=hours), self.assertRaises(UserError):
                key._replace(overlap_hours=hours)
        self.assertEqual(len(self.service.api_key_ids), 1)

    def test_no_overlap_ends_the_old_key_at_once(self):
        old = self.service.action_generate_api_key()
        new = self.service.action_generate_api_key(overlap_hours=0)
        self.assertFalse(self._match(old))
        self.assertEqual(self._match(new), self.service)

    def test_the_same_hash_again_changes_nothing(self):
        self.service.api_key_hash = SAMPLE
        key = self.service.main_api_key_id
        self.service.api_key_hash = SAMPLE
        self.assertEqual(self.service.api_key_ids, key)
        self.assertEqual(key.state, "active")

    def test_the_hash_of_a_key_that_ended_may_come_back(self):
        for key_hash in (SAMPLE, OTHER, SAMPLE):
            self.service.api_key_hash = key_hash
        self.assertEqual(self.service.api_key_hash, SAMPLE)
        self.assertEqual(self._match("sample"), self.service)
        self.assertFalse(self._match("other"))

    def test_the_hash_of_another_services_key_is_refused(self):
        self.foreign.api_key_hash = SAMPLE
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.service.api_key_hash = SAMPLE

    def test_services_are_found_by_their_main_hash_only(self):
        Service = self.env["fusion.billing.service"]
        self.service.api_key_hash = OTHER
        self.service.api_key_hash = SAMPLE
        found = Service.search([("api_key_hash", "=", SAMPLE)])
        self.assertEqual(found, self.service)
        self.assertFalse(Service.search([("api_key_hash", "=", OTHER)]))
        without = Service.search([("api_key_hash", "=", False)])
        self.assertIn(self.foreign, without)
        self.assertNotIn(self.service, without)

    def test_a_request_is_authenticated_by_one_query(self):
        raw_key = self.service.action_generate_api_key()
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(1):
            key = self.Key._authenticate(raw_key)
            self.assertTrue(key._allows("manage"))
            self.assertFalse(key.last_used_at)
            self.assertEqual(key.service_id.rate_limit, 6000)
            self.assertEqual(key.service_id.company_id, self.company)

    def test_old_columns_become_keys(self):
        """A service of the version before: a key, and the one it has replaced."""
        cr = self.env.cr
        cr.execute(
            """
            ALTER TABLE fusion_billing_service
                ADD api_key_hash varchar, ADD api_key_expires_at timestamp,
                ADD previous_api_key_hash varchar,
                ADD previous_api_key_expires_at timestamp, ADD last_used_at timestamp
            """
        )
        cr.execute(
            """
            UPDATE fusion_billing_service
               SET api_key_hash = %s, previous_api_key_hash = %s,
                   previous_api_key_expires_at = '2026-01-02 12:00:00',
                   last_used_at = '2026-01-01 12:00:00'
             WHERE id = %s
            """,
            [SAMPLE, OTHER, self.service.id],
        )
        path = "fusion_centralized_billing/migrations/19.0.1.1.0/post-migrate.py"
        spec = importlib.util.spec_from_file_location("post_migrate", file_path(path))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for _time in range(2):  # it may be run again
            module.migrate(cr, "19.0.1.0.0")
        self.env.invalidate_all()
        new, old = self.service.api_key_ids
        self.assertEqual((new.key_hash, old.key_hash), (SAMPLE, OTHER))
        self.assertEqual(old.replaced_by_id, new)
        self.assertEqual(old.expires_at, datetime(2026, 1, 2, 12))
        self.assertEqual(self.service.main_api_key_id, new)
        self.assertEqual(self.service.last_used_at, datetime(2026, 1, 1, 12))
        with freeze_time("2026-01-02 11:59:59"):
            for raw_key in ("sample", "other"):
                self.assertEqual(self._match(raw_key), self.service)
        with freeze_time("2026-01-02 12:00:00"):
            self.assertFalse(self._match("other"))
        self.assertFalse(self.foreign.api_key_ids)
