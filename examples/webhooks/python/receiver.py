"""Receives the webhooks of Fusion Centralized Billing.

The order of things is the point: verify over the raw bytes, note the event down under
its id, answer, and only then do the work. An event arrives at least once: its id is a
primary key, so that the second time it is known. What was noted down and not handled
yet is handled after a restart.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BYTES = 1024 * 1024
RETRY_SECONDS = 10.0
DATABASE = os.environ.get("INBOX", "inbox.sqlite")
TABLE = """
    CREATE TABLE IF NOT EXISTS event (
        id TEXT PRIMARY KEY, body BLOB NOT NULL, done INTEGER NOT NULL DEFAULT 0)
"""
arrived = threading.Event()


def handle(event: dict[str, Any]) -> None:
    """Your own work goes here. After a crash it may be done twice."""
    print(event["id"], event["type"], flush=True)


def connect() -> sqlite3.Connection:
    return sqlite3.connect(DATABASE, timeout=10)


def note(event_id: str, body: bytes) -> None:
    """Write an event down, unless it is known already."""
    with closing(connect()) as database, database:
        database.execute(
            "INSERT INTO event (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (event_id, body),
        )
    arrived.set()


def work() -> None:
    """Handle what was noted down, one after another, for ever."""
    with closing(connect()) as database:
        while True:
            arrived.clear()
            try:
                query = "SELECT id, body FROM event WHERE NOT done ORDER BY rowid"
                for event_id, body in database.execute(query).fetchall():
                    handle(json.loads(body))
                    with database:
                        database.execute(
                            "UPDATE event SET done = 1 WHERE id = ?", (event_id,)
                        )
            except Exception as error:  # it stays there, and is tried again
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
            arrived.wait(RETRY_SECONDS)


class Receiver(BaseHTTPRequestHandler):
    timeout = 15  # seconds; nobody holds a thread for longer
    webhook: Webhook

    def do_POST(self) -> None:
        try:
            status = self.receive()
        except Exception as error:  # it will be sent again
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            status = 500
        self.send_response(status)
        self.end_headers()

    def receive(self) -> int:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return 411
        if int(length) > MAX_BYTES:
            return 413
        body = self.rfile.read(int(length))
        try:
            self.webhook.verify(body, dict(self.headers), json_parse=False)
        except (WebhookVerificationError, ValueError):
            # ValueError: a signature that is no signature
            return 401
        note(self.headers["webhook-id"], body)
        return 204  # a repetition, too: it is taken care of

    def log_message(self, *_args: object) -> None:
        """Say nothing of each request."""


def main() -> None:
    secret = os.environ.get("WEBHOOK_SECRET", "")
    if not secret.startswith("whsec_"):
        sys.exit("Set WEBHOOK_SECRET to the service's secret, of the form whsec_...")
    Receiver.webhook = Webhook(secret)
    with closing(connect()) as database, database:
        database.execute(TABLE)
    port = int(os.environ.get("PORT", "8080"))
    server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    print(f"listening on port {server.server_address[1]}", flush=True)
    threading.Thread(target=work, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
