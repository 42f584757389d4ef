"""What the tests of the HTTP API share: a world, servers, requests, raw connections."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from provisioning.odoo_log import BAD_LEVELS, entries
from provisioning.process import clean_env
from provisioning.server import HOST, Server

from .common import SystemCase

PREFIX = "/api/billing/v1"
USAGE = f"{PREFIX}/usage"
ADDON = "fusion_centralized_billing"
TIMEOUT = 120.0
END = "end-of-the-answer"
HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "",  # whether it may be kept: see check_json
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    content: bytes

    @property
    def body(self) -> dict:
        return json.loads(self.content)

    @classmethod
    def of(cls, response: http.client.HTTPResponse) -> Answer:
        headers = {name.lower(): value for name, value in response.getheaders()}
        return cls(response.status, headers, response.read())


@dataclass(frozen=True)
class Api:
    """A source app: requests to one server with one key, and to one database where
    that is named."""

    port: int
    key: str
    database: str = ""

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str | bytes] | None = None,
    ) -> Answer:
        """One request on a connection of its own, with exactly these headers beside
        Host and Content-Length."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=TIMEOUT)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            return Answer.of(connection.getresponse())

    def call(self, method: str, path: str, content: object = None) -> Answer:
        """A request as apps send it."""
        body = None if content is None else json.dumps(content).encode()
        return self.post_raw(body, method=method, path=PREFIX + path)

    def post_raw(
        self, body: bytes | None, method: str = "POST", path: str = USAGE
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}"}
        if self.database:
            headers["X-Odoo-Database"] = self.database
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self.send(method, path, body, headers)

    def usage(self, events: object, **payload) -> Answer:
        return self.call("POST", "/usage", {"events": events, **payload})


def exchange(
    port: int, parts: Iterable[bytes | float], half_close: bool = False
) -> Answer | None:
    """Write the parts on one connection and read the answer; None when there is none.

    :param parts: bytes to send; a number is a pause of so many seconds
    :param half_close: say that nothing more will come
    """
    with socket.create_connection((HOST, port), timeout=TIMEOUT) as connection:
        # the server may answer, and close, before it has read everything
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                if isinstance(part, bytes):
                    connection.sendall(part)
                else:
                    time.sleep(part)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
            return Answer.of(response)
        except (http.client.HTTPException, ConnectionError):
            return None


def leave(port: int, data: bytes) -> None:
    """Send and be gone at once, with a reset."""
    with socket.create_connection((HOST, port), timeout=TIMEOUT) as connection:
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.sendall(data)


def instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def children(server: Server, http_only: bool = False) -> list[int]:
    """Process ids of a server's workers.

    :param http_only: without the one that serves the bus
    """
    task = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    pids = list(map(int, task.read_text(encoding="utf-8").split()))
    if http_only:
        pids = [p for p in pids if b"gevent" not in _command_line(p)]
    return pids


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b"gevent"


class ApiCase(SystemCase):
    """A server on a copy of the API's world: see scripts/make_api_world.py."""

    workers = 2
    quiet = True  # whether a warning in the server's log is a failure
    server: Server
    _numbers = itertools.count(1)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source, cls.world = cls.shared_database("api", cls.make_world)
        cls.database = cls.copy_database("world", source)
        cls._psql = cls.start_psql()
        cls.server = cls.start_server(cls.database)
        cls.api = Api(cls.server.port, cls.world["keys"]["app"])

    @classmethod
    def make_world(cls, database: str) -> dict:
        cls.odoo(database, "-i", ADDON)
        return cls.script(database, "make_api_world.py")

    @classmethod
    def start_server(cls, database: str, name: str = "server", **options) -> Server:
        """A server with several workers, stopped when the class is done."""
        server = cls.workspace.start_server(
            database,
            name=f"system-{cls.__name__}-{name}",
            options={"workers": cls.workers, **options},
        )
        if cls.quiet:
            cls.addClassCleanup(cls.check_log, server.log)
        cls.addClassCleanup(server.stop)
        return server

    def setUp(self):
        super().setUp()
        self._log_position = self.server.log.stat().st_size

    def check_quiet(self) -> None:
        """Nothing above INFO was logged since the test began."""
        self.assertEqual(self.logged_since(self.server.log, self._log_position), [])

    @staticmethod
    def logged_since(log: Path, position: int) -> list[str]:
        with log.open(encoding="utf-8", errors="replace") as lines:
            lines.seek(position)
            return [e.text() for e in entries(lines) if e.level in BAD_LEVELS]

    @classmethod
    def name_server(cls) -> None:
        """Say where PDF files get styles and pictures: what Odoo learns at a login."""
        cls.psql(
            "INSERT INTO ir_config_parameter (key, value)"
            f" VALUES ('report.url', 'http://{HOST}:{cls.server.port}')"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )

    # -- events ----------------------------------------------------------------

    def event(self, **values) -> dict:
        """A good event, unlike any other; None leaves a key out."""
        start = now() - timedelta(hours=2)
        event = {
            "subscription_external_id": "sub-1",
            "metric_code": "calls",
            "quantity": 1,
            "period_start": instant(start),
            "period_end": instant(start + timedelta(hours=1)),
            "idempotency_key": f"{type(self).__name__}-{next(self._numbers)}",
            **values,
        }
        return {key: value for key, value in event.items() if value is not None}

    def stored(self, where: str = "true") -> int:
        """How many events the database holds."""
        query = f"SELECT count(*) FROM fusion_billing_usage WHERE {where}"
        return int(self.psql(query))

    @classmethod
    def psql(cls, query: str) -> str:
        """Rows of a query, as `rows` has them, from a psql that stays: a process for
        each of a thousand questions would take most of the time."""
        cls._psql.stdin.write(f"{query};\n\\echo {END}\n")
        cls._psql.stdin.flush()
        text = "".join(iter(cls._psql.stdout.readline, f"{END}\n"))
        if text.startswith("ERROR:"):
            raise AssertionError(f"{text}{query}")
        return text.rstrip("\n")

    @classmethod
    def start_psql(cls) -> subprocess.Popen:
        databases = cls.workspace.databases
        process = subprocess.Popen(
            [databases.program("psql"), "-XqAt", "-d", cls.database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_env(**databases.connection.env()),
            text=True,
        )
        cls.addClassCleanup(process.communicate, "\\q\n")
        return process

    # -- answers ---------------------------------------------------------------

    def check_json(self, answer: Answer | None, status: int) -> dict:
        """It is JSON of ours with this status; returns the body."""
        self.assertIsNotNone(answer, "no answer")
        text = answer.content[:300]
        self.assertEqual(answer.status, status, text)
        found = {name: answer.headers.get(name) for name in HEADERS}
        kept = "private, no-cache" if "etag" in answer.headers else "no-store"
        self.assertEqual(found, HEADERS | {"cache-control": kept}, text)
        self.assertTrue(answer.headers.get("x-request-id"), text)
        self.assertNotIn("set-cookie", answer.headers)
        return answer.body

    def check_refused(self, answer: Answer | None, status: int, code: str) -> dict:
        """It refuses the request as a whole, with nothing but status, error, code and,
        where one key is to blame, field."""
        body = self.check_json(answer, status)
        self.assertEqual((body["status"], body["code"]), ("error", code), body)
        self.assertLessEqual({*body}, {"status", "error", "code", "field"})
        self.assertTrue(body["error"])
        return body

    def check_still_works(self) -> None:
        """The next good request is stored."""
        before = self.stored()
        body = self.check_json(self.api.usage([self.event()]), 200)
        self.assertEqual(body["accepted"], 1)
        self.assertEqual(self.stored(), before + 1)
