from datetime import date
from unittest.mock import patch

from odoo.tests import tagged

from ...controllers import route as routing
from ...controllers.openapi.operation import Deprecation
from ..http.http_case import HttpApiCase

ID = "X-Request-Id"
# One member of each kind of answer: good, refused by the handler, by the key, by the
# router, and those without a key.
ANSWERS = (
    ("GET", "/catalog", 200),
    ("POST", "/usage", 400),
    ("GET", "/usage?cursor=x", 400),
    ("GET", "/customers/nobody", 404),
    ("GET", "/nowhere", 404),
    ("DELETE", "/catalog", 405),
    ("GET", "/health", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs", 200),
)


@tagged("post_install", "-at_install")
class TestApiHeaders(HttpApiCase):
    def _call(self, method, path, headers=None, key=None):
        body = {"evil": 1} if method == "POST" else None
        return self._request(method, path, body, key=key, **(headers or {}))

    def test_each_answer_has_the_name_of_its_request(self):
        for method, path, status in ANSWERS:
            with self.subTest(method=method, path=path):
                response = self._call(method, path, {ID: "my.request-1_A"})
                self.assertEqual(response.status_code, status)
                self.assertEqual(response.headers[ID], "my.request-1_A")
                made = [self._call(method, path).headers[ID] for _time in range(2)]
                self.assertNotEqual(*made)
        refused = self._call("GET", "/catalog", {ID: "r1"}, key="fcb_wrong")
        self.assertEqual((refused.status_code, refused.headers[ID]), (401, "r1"))

    def test_a_name_that_is_none_is_replaced(self):
        for bad in ("", "a b", "a" * 129, "a/b", "<script>", "ä".encode(), "a,b"):
            with self.subTest(bad=bad):
                found = self._call("GET", "/catalog", {ID: bad}).headers[ID]
                self.assertRegex(found, r"^[0-9a-f]{32}$")
        longest = "a" * 128
        response = self._call("GET", "/catalog", {ID: longest})
        self.assertEqual(response.headers[ID], longest)

    def test_the_log_knows_the_name(self):
        self._call("GET", "/catalog", {ID: "good-1"})
        self._call("POST", "/usage", {ID: "bad-1"})
        log = self.env["fusion.billing.api.log"]
        found = log.search([("request_id", "in", ("good-1", "bad-1"))], order="id")
        self.assertEqual(
            [(x.request_id, x.route, x.status) for x in found],
            [("good-1", "/catalog", 200), ("bad-1", "/usage", 400)],
        )

    def _limits(self, response):
        names = ("Limit", "Remaining", "Reset")
        return [int(response.headers[f"RateLimit-{name}"]) for name in names]

    def test_an_app_sees_what_it_may_still_send(self):
        """60 a minute are a burst of 20 (the least there is), and one a second."""
        self.service.rate_limit = 60
        limit, left, full_in = self._limits(self._call("GET", "/catalog"))
        self.assertEqual((limit, left), (20, 19))
        self.assertIn(full_in, (1, 2))
        for _time in range(19):
            response = self._call("GET", "/customers/nobody")
        _limit, left, full_in = self._limits(response)
        self.assertLess(left, 4)
        self.assertLessEqual(full_in, 20)
        self.env.cr.execute("UPDATE fusion_billing_rate_bucket SET tokens = -5")
        refused = self._call("GET", "/catalog")
        self.assertEqual(refused.status_code, 429)
        self.assertEqual(self._limits(refused)[:2], [20, 0])

    def test_without_a_limit_nothing_is_said_of_one(self):
        self.service.rate_limit = 0
        headers = self._call("GET", "/catalog").headers
        self.assertFalse([name for name in headers if name.startswith("RateLimit")])

    def test_what_an_app_has_it_is_not_sent_again(self):
        for path in ("/catalog", "/openapi.json", "/docs", "/usage", "/health"):
            with self.subTest(path=path):
                first = self._call("GET", path)
                tag = first.headers["ETag"]
                self.assertEqual(first.headers["Cache-Control"], "private, no-cache")
                for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
                    again = self._call("GET", path, {"If-None-Match": known})
                    self.assertEqual((again.status_code, again.content), (304, b""))
                    self.assertEqual(again.headers["ETag"], tag)
                    self.assertIn(ID, again.headers)
                other = self._call("GET", path, {"If-None-Match": '"other"'})
                self.assertEqual(
                    (other.status_code, other.content), (200, first.content)
                )

    def test_another_content_has_another_tag(self):
        before = self._call("GET", "/catalog").headers["ETag"]
        self.charge.price_per_unit = 0.75
        response = self._call("GET", "/catalog", {"If-None-Match": before})
        self.assertEqual(response.status_code, 200)
        self.assertNotEqual(response.headers["ETag"], before)

    def test_what_is_refused_or_written_has_no_tag(self):
        for method, path in (("GET", "/customers/nobody"), ("POST", "/usage")):
            headers = self._call(method, path, {"If-None-Match": "*"}).headers
            self.assertNotIn("ETag", headers)
            self.assertEqual(headers["Cache-Control"], "no-store")

    def test_a_route_that_will_go_says_so(self):
        """None will at present: one is marked here."""
        [route] = [x for x in routing.ROUTES if x.path == "/catalog"]
        goes = Deprecation(date(2027, 1, 1), date(2028, 1, 1), "https://example.com/v2")
        with patch.dict(route.operation.__dict__, deprecation=goes):
            headers = self._call("GET", "/catalog").headers
            self.assertEqual(headers["Deprecation"], "@1798761600")
            self.assertEqual(headers["Sunset"], "Sat, 01 Jan 2028 00:00:00 GMT")
            self.assertEqual(
                headers["Link"], '<https://example.com/v2>; rel="deprecation"'
            )
        self.assertNotIn("Deprecation", self._call("GET", "/catalog").headers)
