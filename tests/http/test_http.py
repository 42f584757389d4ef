import json
from http.client import HTTPConnection

from psycopg2.pool import PoolError

from odoo.tests import tagged
from odoo.tools import mute_logger

from .http_case import PREFIX, HttpApiCase


@tagged("post_install", "-at_install")
class TestHttp(HttpApiCase):
    """Statuses and the JSON envelope."""

    def test_health_needs_no_key(self):
        response = self._request("GET", "/health", key=False)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"status": "ok"})
        self.assertNotIn("Set-Cookie", response.headers)

    def test_an_app_from_customer_to_usage(self):
        customer = self._request(
            "POST", "/customers", {"external_id": "acc-9", "name": "Nine"}
        )
        self.assertEqual(customer.status_code, 200)
        subscription = self._request(
            "POST",
            "/subscriptions",
            {
                "external_customer_id": "acc-9",
                "external_id": "sub-9",
                "plan_id": self.plan.id,
                "lines": [{"product_id": self.base_product.id, "quantity": 1}],
            },
        ).json()
        self.assertEqual(subscription["subscription_state"], "3_progress")
        usage = self._request(
            "POST",
            "/usage",
            {
                "events": [
                    self._event(subscription_external_id="sub-9", quantity=quantity)
                    for quantity in (1, "2.5", 0.1)
                ]
            },
        )
        self.assertEqual(usage.status_code, 200)
        self.assertEqual(usage.json()["accepted"], 3)
        catalog = self._request("GET", "/catalog")
        self.assertIn(
            "api_calls", [charge["metric"] for charge in catalog.json()["charges"]]
        )

    def test_numbers_are_read_as_decimals(self):
        """0.1 was stored as 0.1000000000000000055 and 2**53 + 1 as 2**53."""
        body = json.dumps({"events": [self._event(quantity="QUANTITY")]})
        for number in ("9007199254740993", "0.1", "123456789012345.0000000001", "0"):
            self._request("POST", "/usage", body.replace('"QUANTITY"', number))
            self.env.cr.execute(
                "SELECT trim_scale(quantity)::text FROM fusion_billing_usage"
                " WHERE subscription_id = %s ORDER BY id DESC LIMIT 1",
                [self.order.id],
            )
            with self.subTest(number=number):
                self.assertEqual(self.env.cr.fetchone()[0], number)

    def test_a_refused_event_is_400_and_the_others_are_stored(self):
        response = self._request(
            "POST", "/usage", {"events": [self._event(), self._event(quantity=-1)]}
        )
        self._assert_refused(response, 400, "invalid_quantity")
        self.assertEqual(response.json()["accepted"], 1)
        self.assertEqual(self._usage_count(), 1)

    def test_every_bad_key_gets_the_same_401(self):
        bodies, keys = set(), set()
        for authorization in (
            None,
            "",
            "Bearer",
            "Bearer ",
            "Basic dXNlcjpwYXNz",
            "Bearer wrong",
            f"Bearer {self.key}x",
            f"Bearer {self.key} {self.key}",
            "Bearer " + "x" * 60_000,
        ):
            response = self._request(
                "GET", "/catalog", key=False, Authorization=authorization
            )
            with self.subTest(authorization=(authorization or "")[:40]):
                self._assert_refused(response, 401, "unauthorized")
                self.assertIn("Bearer", response.headers["WWW-Authenticate"])
                bodies.add(response.text)
                if authorization in ("Bearer wrong", f"Bearer {self.key}x"):
                    keys.add(response.text)
        response = self._request("GET", f"/catalog?key={self.key}", key=False)
        self._assert_refused(response, 401, "unauthorized")
        self.service.action_revoke_api_key()
        response = self._request("GET", "/catalog")
        self._assert_refused(response, 401, "unauthorized")
        # None that is a key: whichever is wrong with it, that is not told.
        self.assertEqual(keys, {response.text})
        # No key at all, or something else in its place.
        self.assertEqual(len(bodies - keys), 2)
        self.assertTrue(any("no header" in body for body in bodies))

    def test_unknown_routes_are_404_in_json(self):
        for path in ("", "/", "/nothing", "/usage/x/y", "/usage/../catalog/x"):
            with self.subTest(path=path):
                self._assert_refused(self._request("GET", path), 404, "not_found")
                self._assert_refused(self._request("POST", path, {}), 404, "not_found")

    def test_two_slashes_are_404_in_json(self):
        """They were a redirection, in HTML; and /customers//a was customer a."""
        for path in ("//health", "/customers//acc-1", "//"):
            with self.subTest(path=path):
                self._assert_refused(self._request("GET", path), 404, "not_found")
        response = self.url_open("/api/billing//v1/health")
        self._assert_refused(response, 404, "not_found")

    def test_a_bad_host_is_400(self):
        """It was a 500. Odoo itself cannot do without a host; it logs that."""
        for host in ("[::1", "localhost:99999"):
            connection = HTTPConnection("127.0.0.1", self.http_port(), timeout=10)
            with self.subTest(host=host), mute_logger("odoo.http"):
                connection.request("GET", f"{PREFIX}/health", headers={"Host": host})
                response = connection.getresponse()
                self.assertEqual(response.status, 400)
                self.assertEqual(json.load(response)["code"], "invalid_request")
            connection.close()

    def test_a_wrong_method_is_405_and_names_the_right_one(self):
        for method, path, allowed in (
            ("PUT", "/usage", "POST"),
            ("DELETE", "/usage", "GET"),
            ("GET", "/usage/void", "POST"),
            ("PUT", "/customers", "POST"),
            ("DELETE", "/subscriptions", "POST"),
            ("POST", "/catalog", "GET"),
            ("PATCH", "/health", "GET"),
            ("PATCH", "/subscriptions/x/cancel", "POST"),
            ("PATCH", "/subscriptions/x/usage", "GET"),
            ("DELETE", "/subscriptions/x", "PATCH"),
        ):
            response = self._request(method, path, {})
            with self.subTest(method=method, path=path):
                self._assert_refused(response, 405, "method_not_allowed")
                self.assertIn(allowed, response.headers["Allow"])
                self.assertNotIn("OPTIONS", response.headers["Allow"])

    def test_what_no_route_expects_is_still_answered_in_json(self):
        response = self._request("OPTIONS", "/usage", {"events": [self._event()]})
        self._assert_refused(response, 405, "method_not_allowed")
        self.assertEqual(self._usage_count(), 0)
        self.assertNotIn("OPTIONS", response.headers["Allow"])
        response = self._request("POST", "/usage?self=1&service=2", {"events": []})
        self.assertEqual(response.json()["accepted"], 0)
        for path in ("/%00", "/%FF", "/usage/%2e%2e/%00"):
            with self.subTest(path=path):
                self._assert_refused(self._request("GET", path), 404, "not_found")

    def test_a_body_that_is_not_declared_json_is_415(self):
        for content_type in (
            None,
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=latin-1",
        ):
            with self.subTest(content_type=content_type):
                response = self._request(
                    "POST", "/usage", b'{"events": []}', Content_Type=content_type
                )
                self._assert_refused(response, 415, "unsupported_media_type")
                said = "UTF-8" if "latin" in str(content_type) else "Content-Type"
                self.assertIn(said, response.json()["error"])
        response = self._request("POST", "/usage", b"{}", Content_Encoding="gzip")
        self._assert_refused(response, 415, "unsupported_media_type")
        self.assertIn("uncompressed", response.json()["error"])

    def test_a_body_over_the_limit_is_413(self):
        body = b'{"events": [' + b" " * (8 * 1024 * 1024) + b"]}"
        response = self._request("POST", "/usage", body)
        self._assert_refused(response, 413, "body_too_large")

    def test_what_is_not_json_is_400(self):
        for body in (
            b"",
            b"  ",
            b"{",
            b"[1,]",
            b'{"events": []} x',
            b'\xef\xbb\xbf{"events": []}',
            '{"events": []}'.encode("utf-16"),
            b'{"events": "\xff"}',
            b'{"events": NaN}',
            b'{"events": [], "events": []}',
            b'{"events": [' + b"9" * 5000 + b"]}",
            b"[" * 100_000,
            b'{"events": 1e9999999999999999999}',
        ):
            with self.subTest(body=body[:40]):
                self._assert_refused(
                    self._request("POST", "/usage", body), 400, "invalid_json"
                )
        for body in (b"null", b"[]", b'"x"', b"1"):
            with self.subTest(body=body):
                self._assert_refused(
                    self._request("POST", "/usage", body), 400, "invalid_payload"
                )

    def test_no_connection_to_be_had_is_503(self):
        """70 requests at once got 29 x 500, and a traceback each in the log."""
        model = type(self.env["fusion.billing.service"])

        def catalog(service):
            raise PoolError("The Connection Pool Is Full")

        self.patch(model, "_api_catalog", catalog)
        with self.assertNoLogs("odoo.http", "WARNING"):
            response = self._request("GET", "/catalog")
        self._assert_refused(response, 503, "busy")
        self.assertEqual(response.headers["Retry-After"], "1")

    def test_too_many_values_are_refused_unread(self):
        """A body of tiny values cost 225 MB before it was refused for their number."""
        for body, code in (
            ("{" + '"events": [' + "{}," * 2_000_000 + "{}]}", "too_many_events"),
            ("{" + '"events": [' + "0," * 2_000_000 + "0]}", "too_many_values"),
            ("{" + '"events": [' + '"",' * 2_000_000 + '""]}', "too_many_values"),
        ):
            response = self._request("POST", "/usage", body)
            self._assert_refused(response, 400, code)
        body = '{"external_id": [' + "[]," * 20_000 + "[]]}"
        response = self._request("POST", "/customers", body)
        self._assert_refused(response, 400, "too_many_values")

    def test_the_description_can_be_closed(self):
        settings = self.env["res.config.settings"]
        for closed, status in ((True, 404), (False, 200)):
            settings.create({"fc_api_docs_closed": closed}).execute()
            for path in ("/docs", "/openapi.json"):
                response = self._request("GET", path, key=False)
                with self.subTest(path=path, closed=closed):
                    self.assertEqual(response.status_code, status)
                    if closed:
                        self._assert_refused(response, 404, "not_found")
            self.assertEqual(
                self._request("GET", "/health", key=False).status_code, 200
            )

    def test_our_own_failure_is_500_in_json_without_a_traceback(self):
        model = type(self.env["fusion.billing.service"])
        self.patch(model, "_api_catalog", lambda service: 1 / 0)
        with mute_logger("odoo.http"):
            response = self._request("GET", "/catalog")
        self._assert_refused(response, 500, "internal_error")
        self.assertNotIn("ZeroDivision", response.text)

    def test_the_next_request_works_after_any_of_them(self):
        for body in (b"{", b"[" * 1000, b"\xff"):
            self._request("POST", "/usage", body)
            response = self._request("POST", "/usage", {"events": []})
            self.assertEqual(response.json()["accepted"], 0)
