import time
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..common import BillingCase
from ..http.http_case import HttpApiCase

ROUTES = (
    ("POST", "/usage", "usage"),
    ("POST", "/usage/void", "usage"),
    ("POST", "/reconciliations", "usage"),
    ("GET", "/catalog", "read"),
    ("GET", "/usage", "read"),
    ("GET", "/invoices", "read"),
    ("GET", "/events", "read"),
    ("GET", "/subscriptions/x", "read"),
    ("GET", "/subscriptions/x/usage", "read"),
    ("GET", "/customers/x", "read"),
    ("POST", "/customers", "manage"),
    ("POST", "/subscriptions", "manage"),
    ("PATCH", "/subscriptions/x", "manage"),
    ("POST", "/subscriptions/x/cancel", "manage"),
    ("POST", "/subscriptions/x/undo-cancel", "manage"),
    ("POST", "/subscriptions/x/pause", "manage"),
    ("POST", "/subscriptions/x/resume", "manage"),
    ("POST", "/subscriptions/x/reactivate", "manage"),
    ("POST", "/events/x/replay", "manage"),
    ("POST", "/webhooks/test", "manage"),
)


@tagged("post_install", "-at_install")
class TestScopes(HttpApiCase):
    def test_a_key_does_what_its_scopes_say(self):
        Key = self.env["fusion.billing.api.key"]
        for scope in ("usage", "read", "manage"):
            _key, raw_key = Key._issue(self.service, f"only {scope}", [scope])
            for method, path, needed in ROUTES:
                response = self._request(method, path, {}, key=raw_key)
                with self.subTest(scope=scope, method=method, path=path):
                    if scope == needed:
                        self.assertNotEqual(response.status_code, 403)
                    else:
                        self._assert_refused(response, 403, "insufficient_scope")

    def test_a_restricted_key_is_not_the_main_key(self):
        main = self.service.main_api_key_id
        Key = self.env["fusion.billing.api.key"]
        key, raw_key = Key._issue(self.service, "collector", ["usage"])
        self.assertEqual(self.service.main_api_key_id, main)
        self.assertEqual(key.key_hint, f"…{raw_key[-4:]}")
        new, new_raw = key._replace(overlap_hours=0)
        self.assertEqual(
            (new.name, new.scope_usage, new.scope_read), ("collector", True, False)
        )
        self.assertEqual(self.service.main_api_key_id, main)
        for tried, status in ((raw_key, 401), (new_raw, 403), (self.key, 200)):
            response = self._request("GET", "/catalog", key=tried)
            self.assertEqual(response.status_code, status)

    def test_one_key_revoked_the_others_go_on(self):
        Key = self.env["fusion.billing.api.key"]
        key, raw_key = Key._issue(self.service, "reader", ["read"])
        self.assertEqual(self._request("GET", "/catalog", key=raw_key).status_code, 200)
        key.action_revoke()
        self._assert_refused(
            self._request("GET", "/catalog", key=raw_key), 401, "unauthorized"
        )
        self.assertEqual(self._request("GET", "/catalog").status_code, 200)

    def test_a_mistyped_key_costs_no_query(self):
        wrong = self.key[:-1] + ("0" if self.key[-1] != "0" else "1")
        with self.assertQueryCount(0):
            found = self.env["fusion.billing.api.key"]._authenticate(wrong)
        self.assertFalse(found)


@tagged("post_install", "-at_install")
class TestKeyRecords(BillingCase):
    def test_a_hash_from_elsewhere_becomes_the_main_key(self):
        """The hash of "sample" by sha256sum."""
        digest = "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf"
        self.service.action_generate_api_key()
        self.service.api_key_hash = digest
        match = self.env["fusion.billing.service"]._match_api_key
        self.assertEqual(match("sample"), self.service)
        self.assertEqual(self.service.api_key_hash, digest)
        self.assertEqual(
            self.env["fusion.billing.service"].search([("api_key_hash", "=", digest)]),
            self.service,
        )
        self.service.api_key_hash = False
        self.assertFalse(match("sample"))
        self.assertFalse(self.service.has_api_key)

    def test_states(self):
        service = self.service
        with freeze_time("2026-01-01 12:00:00"):
            service.action_generate_api_key()
            old = service.main_api_key_id
            service.action_generate_api_key(overlap_hours=1)
            new = service.main_api_key_id
            self.assertEqual((old.state, new.state), ("ending", "active"))
            new.action_revoke()
            self.assertEqual(new.state, "revoked")
        old.invalidate_recordset()
        with freeze_time("2026-01-01 13:00:00"):
            self.assertEqual(old.state, "expired")

    def test_what_happened_is_in_the_chatter_without_the_key(self):
        raw_keys = [self.service.action_generate_api_key() for _time in range(2)]
        self.service.action_revoke_api_key()
        text = " ".join(self.service.message_ids.mapped("body"))
        for said in ("issued", "is replaced by", "24 hours", "revoked"):
            self.assertIn(said, text)
        for raw_key in raw_keys:
            self.assertNotIn(raw_key, text)
            self.assertNotIn(raw_key[:-4], text)

    def test_the_wizard_needs_a_scope_and_a_future(self):
        wizard = self.env["fusion.billing.api.key.wizard"].create(
            {
                "service_id": self.service.id,
                "scope_usage": False,
                "scope_read": False,
                "scope_manage": False,
            }
        )
        with self.assertRaises(UserError):
            wizard.action_generate()
        wizard.write({"scope_read": True, "expires_at": datetime(2020, 1, 1)})
        with self.assertRaises(UserError):
            wizard.action_generate()
        wizard.write({"expires_at": False, "name": "reader"})
        wizard.action_generate()
        [key] = self.service.api_key_ids
        self.assertEqual(
            (key.name, key.scope_usage, key.scope_read), ("reader", False, True)
        )

    def test_who_sees_keys_and_calls(self):
        self.service.action_generate_api_key()
        self.env["fusion.billing.api.log"]._write_call(
            self.env.cr,
            {"service_id": self.service.id, "method": "GET", "route": "/usage"},
        )
        company = self.env["res.company"].create({"name": "Other Company"})
        user = new_test_user(
            self.env, "fcb-log-user", "fusion_centralized_billing.group_user"
        )
        stranger = new_test_user(
            self.env,
            "fcb-log-stranger",
            "fusion_centralized_billing.group_admin",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        for model in ("fusion.billing.api.key", "fusion.billing.api.log"):
            domain = [("service_id", "=", self.service.id)]
            with self.subTest(model=model):
                self.assertTrue(self.env[model].with_user(user).search(domain))
                self.assertFalse(self.env[model].with_user(stranger).search(domain))
                for operation in ("write", "create", "unlink"):
                    self.assertFalse(
                        self.env[model].with_user(user).has_access(operation)
                    )
        key = self.service.main_api_key_id
        with self.assertRaises(AccessError):
            key.with_user(user).read(["key_hash"])
        with self.assertRaises(AccessError):
            key.with_user(stranger).action_revoke()
        with self.assertRaises(AccessError):
            self.service.with_user(stranger).action_generate_api_key()


@tagged("post_install", "-at_install")
class TestRateLimit(HttpApiCase):
    def _set_bucket(self, tokens, seconds_ago=0):
        self.env.cr.execute(
            """
            UPDATE fusion_billing_rate_bucket
               SET tokens = %s,
                   refilled_at = clock_timestamp() - %s * interval '1 second'
             WHERE service_id = %s
            """,
            [tokens, seconds_ago, self.service.id],
        )

    def _take(self, count):
        takes = [self.service._take_rate_token() for _time in range(count)]
        return [allowance.wait if allowance else 0.0 for allowance in takes]

    def test_burst_then_wait(self):
        """60 a minute: 20 at once (the least burst), then one each second."""
        self.service.rate_limit = 60
        waits = self._take(21)
        self.assertEqual(waits[:20], [0.0] * 20)
        self.assertGreater(waits[20], 0.5)
        self.assertLessEqual(waits[20], 1.0)

    def test_tokens_come_back(self):
        """600 a minute: 20 after 2 seconds, the burst of 60 after an hour."""
        self.service.rate_limit = 600
        self._take(1)
        for seconds, expected in ((2, 20), (3600, 60)):
            self._set_bucket(0, seconds)
            granted = self._take(expected + 2).count(0.0)
            # the test itself takes time, in which one more can come
            self.assertIn(granted, (expected, expected + 1))

    def test_a_clock_that_stands_back_takes_nothing_away(self):
        self.service.rate_limit = 60
        self._take(1)
        self._set_bucket(5, seconds_ago=-3600)
        self.assertEqual(self._take(6)[:5], [0.0] * 5)

    def test_no_limit(self):
        self.service.rate_limit = 0
        self.assertEqual(set(self._take(50)), {0.0})

    def test_a_request_that_odoo_repeats_takes_one_token(self):
        """It could have been let in first, and refused when it was repeated."""
        model = type(self.env["fusion.billing.service"])
        tried, taken = [], []

        def catalog(service):
            tried.append(service)
            if len(tried) == 1:
                raise ConcurrencyError("changed meanwhile")
            return {"status": "ok"}

        self.patch(model, "_api_catalog", catalog)
        self.patch(model, "_take_rate_token", lambda s: taken.append(s))
        self.patch(time, "sleep", lambda seconds: None)
        self.assertEqual(self._request("GET", "/catalog").status_code, 200)
        self.assertEqual((len(tried), len(taken)), (2, 1))

    def _logged(self, field):
        log = self.env["fusion.billing.api.log"]
        return log.search([("service_id", "=", self.service.id)]).mapped(field)

    def test_refused_requests_are_counted_by_the_minute(self):
        """An app in a loop wrote a row of the log with each request, 400 a second."""
        self.service.rate_limit = 60
        self._request("GET", "/catalog")
        with freeze_time("2026-03-01 10:00:58", tick=False) as clock:
            self._set_bucket(-100)
            for _time in range(3):
                self._request("GET", "/catalog")
            clock.tick(timedelta(seconds=2))
            self._request("POST", "/usage", {"events": []})
        manager = new_test_user(
            self.env, "refusals", "fusion_centralized_billing.group_manager"
        )
        refusals = self.env["fusion.billing.api.refusal"].with_user(manager)
        found = refusals.search([("service_id", "=", self.service.id)], order="minute")
        self.assertEqual(
            [(r.minute, r.requests) for r in found],
            [(datetime(2026, 3, 1, 10, 0), 3), (datetime(2026, 3, 1, 10, 1), 1)],
        )
        self.assertEqual(self._logged("status"), [200])

    def test_refusals_are_kept_as_long_as_the_log(self):
        Refusal = self.env["fusion.billing.api.refusal"]
        for day in (1, 20):
            with freeze_time(f"2026-03-{day:02} 10:00:58"):
                Refusal._count(self.service)
        self.env["ir.config_parameter"].set_param(
            "fusion_centralized_billing.api_log_days", "7"
        )
        with freeze_time("2026-03-21 00:00:00"):
            self.assertEqual(Refusal._prune(), (1, False))
        found = Refusal.search([("service_id", "=", self.service.id)])
        self.assertEqual(found.minute, datetime(2026, 3, 20, 10, 0))

    def test_answer(self):
        self.service.rate_limit = 60
        self._request("GET", "/catalog")
        self._set_bucket(0)
        response = self._request("POST", "/usage", {"events": [self._event()]})
        self._assert_refused(response, 429, "rate_limited")
        self.assertEqual(response.headers["Retry-After"], "1")
        self.assertEqual(self._usage_count(), 0)
        self.assertNotIn(429, self._logged("status"))
        # one service's limit is not another's
        other = self._create_service(code="other-app")
        key = other.action_generate_api_key()
        self.assertEqual(self._request("GET", "/catalog", key=key).status_code, 200)


@tagged("post_install", "-at_install")
class TestLog(HttpApiCase):
    def _calls(self):
        return self.env["fusion.billing.api.log"].search(
            [("service_id", "=", self.service.id)], order="id"
        )

    def test_each_call_of_an_app_is_counted(self):
        self._request(
            "POST",
            "/usage",
            {
                "events": [
                    self._event(idempotency_key="a"),
                    self._event(idempotency_key="a"),
                    self._event(idempotency_key="a", quantity=2),
                    self._event(quantity=-1),
                    self._event(metric_code="nothing"),
                ]
            },
        )
        self._request("GET", "/subscriptions/nothing")
        self._request("GET", "/catalog")
        usage, missing, catalog = self._calls()
        self.assertEqual(
            (usage.method, usage.route, usage.status), ("POST", "/usage", 400)
        )
        self.assertEqual(
            (
                usage.event_count,
                usage.accepted,
                usage.duplicates,
                usage.conflicts,
                usage.rejected,
            ),
            (5, 1, 1, 1, 2),
        )
        self.assertEqual(
            usage.error_codes,
            "events_refused,idempotency_conflict,invalid_quantity,unknown_metric",
        )
        self.assertEqual(usage.key_id, self.service.main_api_key_id)
        self.assertGreater(usage.request_bytes, 500)
        self.assertGreater(usage.duration_ms, 0)
        self.assertEqual(
            (missing.route, missing.status, missing.error_codes),
            ("/subscriptions/{subscription}", 404, "unknown_subscription"),
        )
        self.assertEqual((catalog.status, catalog.error_codes), (200, ""))

    def test_what_stops_a_call_is_logged_too(self):
        self._request("POST", "/usage", b"{}", Content_Type="text/plain")
        model = type(self.env["fusion.billing.service"])
        self.patch(model, "_api_catalog", lambda service: 1 / 0)
        with mute_logger("odoo.http"):
            self._request("GET", "/catalog")
        self.assertEqual(
            [(call.status, call.error_codes) for call in self._calls()],
            [(415, "unsupported_media_type"), (500, "internal_error")],
        )

    def test_nobody_s_calls_are_not_logged(self):
        before = self.env["fusion.billing.api.log"].search_count([])
        self._request("GET", "/catalog", key="fcb_wrong")
        self._request("GET", "/health", key=False)
        self.assertEqual(self.env["fusion.billing.api.log"].search_count([]), before)

    def test_no_content_is_kept(self):
        self._request("POST", "/customers", {"external_id": "secret-account"})
        self.env.cr.execute(
            "SELECT l::text FROM fusion_billing_api_log l WHERE service_id = %s",
            [self.service.id],
        )
        [[row]] = self.env.cr.fetchall()
        for content in ("secret-account", self.key, self.key[10:40], "127.0.0.1"):
            self.assertNotIn(content, row)

    def test_old_calls_are_deleted(self):
        Log = self.env["fusion.billing.api.log"]
        now = datetime.now()
        for days in (1, 29, 31, 400):
            Log._write_call(
                self.env.cr,
                {
                    "service_id": self.service.id,
                    "method": "GET",
                    "route": f"/{days}",
                    "called_at": now - timedelta(days=days),
                },
            )
        self.assertEqual(Log._prune(), (2, False))
        self.assertEqual(self._calls().mapped("route"), ["/1", "/29"])
        self.env["ir.config_parameter"].set_param(
            "fusion_centralized_billing.api_log_days", "7"
        )
        Log._prune()
        self.assertEqual(self._calls().mapped("route"), ["/1"])
