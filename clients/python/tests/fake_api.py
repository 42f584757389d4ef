"""A local server that stores usage events as the API does, and misbehaves as told."""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
import time
import unittest
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from fusion_billing import Client, RetryPolicy, UsageEvent

PREFIX = "/api/billing/v1"
KEY = "fcb_test"
FAST = RetryPolicy(attempts=6, first=0.01, longest=0.05, total=20)
# what the buffer warns of is provoked here; tests that look for it use assertLogs
logging.getLogger("fusion_billing").addHandler(logging.NullHandler())
Behaviour = Callable[["Handler"], None]


class FakeApi(ThreadingHTTPServer):
    """What is done with the next requests stands in ``script``, first come first
    served; requests beyond are answered as the API would.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        self.script: deque[Behaviour] = deque()
        self.requests: list[tuple[str, str, dict]] = []  # method, path, body
        self.headers: list[dict] = []
        self.answers: dict[str, dict] = {}  # "GET /catalog" -> the body of its answer
        self.stored: dict[str, dict] = {}  # by idempotency key
        self.batches: list[int] = []
        self.refuse: dict[str, str] = {}  # idempotency key -> code
        self.max_events = 10_000
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request, client_address) -> None:
        """Connections that end early are the point here."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeApi

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        self.body = json.loads(content) if content else {}
        with self.server.lock:
            self.server.requests.append((self.command, self.path, self.body))
            self.server.headers.append(dict(self.headers))
            act = self.server.script.popleft() if self.server.script else Handler.serve
        act(self)

    do_POST = do_PATCH = do_GET

    def log_message(self, *_args) -> None:
        """Be quiet."""

    # -- as the API --------------------------------------------------------------

    def serve(self) -> None:
        self.answer(*self.work())

    def work(self) -> tuple[int, dict]:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"status": "error", "code": "unauthorized", "error": "no"}
        path = urlsplit(self.path).path.removeprefix(PREFIX)
        if f"{self.command} {path}" == "POST /usage":
            with self.server.lock:
                return self.record()
        if body := self.server.answers.get(f"{self.command} {path}"):
            return 200, {"status": "ok", **body}
        return 404, {"status": "error", "code": "not_found", "error": "not found"}

    def record(self) -> tuple[int, dict]:
        events = self.body["events"]
        self.server.batches.append(len(events))
        if len(events) > self.server.max_events:
            error = {"code": "too_many_events", "error": "too many"}
            return 400, {"status": "error", **error}
        results = []
        for event in events:
            key = event["idempotency_key"]
            if code := self.server.refuse.get(key):
                results.append({"status": "rejected", "code": code, "error": "no"})
            elif key in self.server.stored:
                results.append({"status": "duplicate"})
            else:
                self.server.stored[key] = event
                results.append({"status": "accepted"})
        statuses = [result["status"] for result in results]
        body = {
            "status": "ok",
            "accepted": statuses.count("accepted"),
            "duplicates": statuses.count("duplicate"),
            "results": results,
        }
        if "rejected" not in statuses:
            return 200, body
        error = {"status": "error", "code": "events_refused", "error": "refused"}
        return 400, {**body, **error}

    def answer(self, status: int, body: object, headers: dict | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("X-Request-Id", "of-the-fake")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))


# -- misbehaviour --------------------------------------------------------------


def status(code: int, body: object = b"", **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(code, body, named)


def error(code: int, name: str, **headers: str) -> Behaviour:
    return status(code, {"status": "error", "code": name, "error": "text"}, **headers)


def reset(handler: Handler) -> None:
    """Break the connection before anything is done."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    handler.connection.close()


def work_and_reset(handler: Handler) -> None:
    """Do it, and break the connection before saying so."""
    handler.work()
    reset(handler)


def work_and_cut(handler: Handler) -> None:
    """Do it, and break off in the middle of the answer."""
    _status, body = handler.work()
    content = json.dumps(body).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def work_and_hang(seconds: float) -> Behaviour:
    def act(handler: Handler) -> None:
        handler.work()
        time.sleep(seconds)
        handler.close_connection = True

    return act


class FakeApiCase(unittest.TestCase):
    """Each test has a server and a client that waits little between attempts."""

    def setUp(self) -> None:
        super().setUp()
        self.api = self.start()
        self.client = self.connect()

    def start(self, port: int = 0) -> FakeApi:
        api = FakeApi(port)
        thread = threading.Thread(target=api.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.addCleanup(api.server_close)
        self.addCleanup(api.shutdown)
        return api

    def connect(self, key: str = KEY, **options) -> Client:
        client = Client(self.api.url, key, **{"retry": FAST, "timeout": 5, **options})
        self.addCleanup(client.close)
        return client


def event(number: int = 0, **values) -> UsageEvent:
    """A good event, known by its number."""
    return UsageEvent(
        **{
            "subscription_external_id": "sub-1",
            "metric_code": "calls",
            "quantity": 1,
            "period_start": "2026-01-10T09:00:00Z",
            "period_end": "2026-01-10T10:00:00Z",
            "idempotency_key": f"event-{number}",
            **values,
        }
    )
