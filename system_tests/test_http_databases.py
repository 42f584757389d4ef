"""Several databases on one server: JSON always, also where none is reached."""

from __future__ import annotations

import http.client
import json

from provisioning.server import HOST

from .api import PREFIX, USAGE, Answer, Api, ApiCase, exchange
from .hostile_http import Pieces

UNKNOWN = (
    "nobody",
    "postgres",
    "template1",
    "*",
    "%",
    "../../etc/passwd",
    "'; DROP DATABASE x; --",
    "a b",
    "x" * 10_000,
    "\xe9\xff",
    "None",
    "-",
)


class TestHttpDatabases(ApiCase):
    """Two databases with the API, one without, and the rest of the server's."""

    seconds = 16

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls.copy_database("second", cls._shared["api"][0])
        cls.plain = cls.copy_database("plain")
        names = "|".join((cls.database, cls.second, cls.plain))
        # first, so that it is the first request that finds the addon there
        cls.several = cls.start_server(
            cls.database, "several", db_name="", dbfilter=f"^({names})$"
        )

    def post(self, database: str | None, **headers: str) -> Answer:
        content = json.dumps({"events": [self.event()]}).encode()
        named = {} if database is None else {"X-Odoo-Database": database}
        return Api(self.several.port, "").send(
            "POST",
            USAGE,
            content,
            {
                "Authorization": f"Bearer {self.api.key}",
                "Content-Type": "application/json",
                **named,
                **headers,
            },
        )

    def test_1_none_named(self):
        for method, path in (
            *(("GET", "/health"), ("GET", "/usage"), ("GET", "/customers/a/b")),
            *(("POST", "/usage"), ("POST", "/nothing"), ("GET", "/nothing")),
            ("GET", ""),
        ):
            with self.subTest(path, method=method):
                answer = Api(self.several.port, self.api.key).call(method, path)
                self.check_refused(answer, 404, "unknown_database")
        answer = Api(self.several.port, self.api.key).call("PUT", "/usage")
        self.check_refused(answer, 405, "method_not_allowed")
        self.check_refused(self.post(None), 404, "unknown_database")
        self.check_refused(self.post(""), 404, "unknown_database")
        self.check_both_quiet()

    def test_2_unknown(self):
        before = self.stored()
        for name in UNKNOWN:
            with self.subTest(name[:40]):
                answer = self.post(name.encode("latin-1"))
                self.check_refused(answer, 404, "unknown_database")
        with self.subTest("NUL"):
            pieces = Pieces(headers=(b"X-Odoo-Database: a\x00b",), body=b"{}")
            request = pieces.render(self.api.key, b"")
            answer = exchange(self.several.port, [request])
            self.check_refused(answer, 404, "unknown_database")
        self.assertEqual(self.stored(), before)
        self.check_both_quiet()

    def test_3_the_right_one(self):
        before = self.stored()
        body = self.check_json(self.post(self.database), 200)
        self.assertEqual(body["accepted"], 1)
        self.assertEqual(self.stored(), before + 1)
        elsewhere = "SELECT count(*) FROM fusion_billing_usage"
        self.assertEqual(self.value(self.second, elsewhere), "0")
        body = self.check_json(self.post(self.second), 200)
        self.assertEqual(body["accepted"], 1)
        self.assertEqual(self.value(self.second, elsewhere), "1")
        self.check_both_quiet()

    def test_4_one_without_the_addon(self):
        """The routes of a server-wide module are there, too."""
        self.check_refused(self.post(self.plain), 404, "not_found")
        named = {"X-Odoo-Database": self.plain}
        for method, path, status, code in (
            ("GET", "/health", 404, "not_found"),
            ("GET", "/nothing", 404, "not_found"),
            ("PUT", "/usage", 405, "method_not_allowed"),
        ):
            with self.subTest(path):
                answer = Api(self.several.port, "").send(
                    method, PREFIX + path, None, named
                )
                self.check_refused(answer, status, code)
        self.check_both_quiet()

    def test_5_sessions(self):
        """A browser's session names a database, too. One that differs is refused, and
        the session itself is no key."""
        cookie = self.log_in()
        answer = self.post(self.second, Cookie=cookie)
        self.check_refused(answer, 400, "invalid_request")
        before = self.stored()
        self.check_json(self.post(self.database, Cookie=cookie), 200)
        self.check_json(self.post(None, Cookie=cookie), 200)
        self.assertEqual(self.stored(), before + 2)
        answer = self.post(None, Cookie=cookie, Authorization="")
        self.check_refused(answer, 401, "unauthorized")
        self.check_both_quiet()

    def log_in(self) -> str:
        connection = http.client.HTTPConnection(HOST, self.several.port)
        parameters = {"db": self.database, "login": "admin", "password": "admin"}
        connection.request(
            "POST",
            "/web/session/authenticate",
            json.dumps({"params": parameters}),
            {"Content-Type": "application/json"},
        )
        response = connection.getresponse()
        self.assertEqual(json.loads(response.read())["result"]["db"], self.database)
        return response.getheader("Set-Cookie").partition(";")[0]

    def test_6_one_database(self):
        """Where there is one, no header is needed; another name is still refused."""
        answer = Api(self.server.port, self.api.key).call("GET", "/health")
        self.assertEqual(self.check_json(answer, 200), {"status": "ok"})
        answer = self.api.send("GET", f"{PREFIX}/health", None, {})
        self.check_json(answer, 200)
        headers = {"X-Odoo-Database": "nobody"}
        answer = self.api.send("GET", f"{PREFIX}/health", None, headers)
        self.check_refused(answer, 404, "unknown_database")
        self.check_both_quiet()

    def check_both_quiet(self) -> None:
        self.check_quiet()
        self.assertEqual(self.logged_since(self.several.log, 0), [])
