import json
from http.client import HTTPConnection
from urllib.parse import quote

from odoo.tests import tagged
from odoo.tests.common import TEST_CURSOR_COOKIE_NAME

from .http_case import PREFIX
from .reading_case import ReadingCase

ODD = (
    *("/", "//", "x/usage", "x/cancel", "x/pause", "x/pdf"),
    *(".", "..", "%", "?", "%2F", "#", "&"),
)


@tagged("post_install", "-at_install")
class TestPaths(ReadingCase):
    """What is percent-encoded in a path is of the id, and not of the path."""

    def _send(self, path, method="GET", body=None):
        return self._send_raw(PREFIX + path, method, body)

    def _send_raw(self, path, method="GET", body=None):
        """As it stands: a library would tidy up ``/../`` before it sends it."""
        connection = HTTPConnection("127.0.0.1", self.http_port(), timeout=30)
        self.addCleanup(connection.close)
        content = None if body is None else json.dumps(body)
        with self.allow_requests():
            cookie = f"{TEST_CURSOR_COOKIE_NAME}={self.http_request_key}"
            headers = {"Authorization": f"Bearer {self.key}", "Cookie": cookie}
            headers["Content-Type"] = "application/json"
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response.status, json.load(response)

    def test_subscriptions_with_odd_names(self):
        """``team/usage`` answered the usage of ``team``, which may be another's."""
        team = self._create_running(external_id="team")
        orders = {name: self._create_running(external_id=name) for name in ODD}
        orders["team/usage"] = self._create_running(external_id="team/usage")
        self.env.flush_all()
        for name, order in orders.items():
            path = f"/subscriptions/{quote(name, safe='')}"
            for end, has in (("", "lines"), ("/usage", "unallocated")):
                with self.subTest(name=name, end=end):
                    status, answer = self._send(path + end)
                    self.assertEqual(status, 200, answer)
                    self.assertEqual(answer["subscription_id"], order.id)
                    self.assertIn(has, answer)
        status, answer = self._send("/subscriptions/team/usage")
        self.assertEqual(answer["subscription_id"], team.id)
        self.assertIn("unallocated", answer)
        status, answer = self._send(
            "/subscriptions/x%2Fusage/cancel", "POST", {"when": "period_end"}
        )
        self.assertEqual(answer["subscription_id"], orders["x/usage"].id)
        self.env.invalidate_all()
        self.assertEqual(
            [o.fc_external_id for o in orders.values() if o.end_date], ["x/usage"]
        )

    def test_customers_with_odd_ids(self):
        for external_id in ODD:
            partner = self.env["res.partner"].create({"name": external_id})
            self._create_link(external_id=external_id, partner_id=partner.id)
            with self.subTest(external_id):
                status, answer = self._send(f"/customers/{quote(external_id, safe='')}")
                self.assertEqual(status, 200, answer)
                self.assertEqual(answer["partner_id"], partner.id)

    def test_ids_that_name_nothing(self):
        for path, code in (
            ("/subscriptions/x%2Fusage", "unknown_subscription"),
            ("/subscriptions/%2F", "unknown_subscription"),
            ("/subscriptions/%00", "unknown_subscription"),
            ("/customers/%2E%2E", "unknown_customer"),
            ("/customers/..", "unknown_customer"),
            ("/invoices/88%2Fpdf", "unknown_invoice"),
            ("/invoices/%2F/pdf", "unknown_invoice"),
            ("/customers/%FF", "unknown_customer"),
            ("/subscriptions%2Fsub-1", "not_found"),
            ("/%2Fhealth", "not_found"),
            ("/subscriptions//usage", "not_found"),
        ):
            with self.subTest(path=path):
                status, answer = self._send(path)
                self.assertEqual((status, answer["code"]), (404, code))
        status, answer = self._send("/events/x%2Freplay/replay", "POST", {})
        self.assertEqual((status, answer["code"]), (404, "unknown_event"))

    def test_what_needs_no_code_may_have_one(self):
        status, answer = self._send("/h%65alth")
        self.assertEqual((status, answer), (200, {"status": "ok"}))

    def test_a_path_as_a_proxy_is_sent_it(self):
        status, answer = self._send_raw(f"http://127.0.0.1{PREFIX}/customers/acc%2D1?")
        self.assertEqual((status, answer.get("external_id")), (200, "acc-1"))

    def _create_running(self, external_id):
        order = self._create_subscription()
        order.write({"fc_service_id": self.service.id, "fc_external_id": external_id})
        return order
