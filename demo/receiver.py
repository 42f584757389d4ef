"""The apps' webhook receiver: a real HTTPS server on this machine only.

    python -m demo.receiver FOLDER

Standard input is JSON with the webhook secret of each app. It makes its certificates in
FOLDER, then writes `ready.json` with its port, and a line to `received.jsonl` for each
webhook that arrives: whether its signatures hold, and what was answered. Runs until
stopped.

The first `invoice.posted` gets a 503, once: an app that is restarting. Odoo must send
it again, under the same event id.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TextIO

from .certificate import make_certificates
from .verify import fusion_is_valid, standard_is_valid

FAILED_ONCE = "invoice.posted"
MAX_BODY = 1024 * 1024
TIMEOUT_S = 30


@dataclass
class Arrival:
    """One webhook as it arrived.

    :param repeated: an event of this id was accepted before
    :param intact: the body is JSON, and says the same id, type and app as the headers
        and the address
    """

    app: str
    event_id: str
    event_type: str
    fusion: bool
    standard: bool
    intact: bool
    repeated: bool
    answered: int


@dataclass
class Inbox:
    """Judges webhooks and keeps a log; safe to use from several threads."""

    secrets: dict[str, str]
    log: TextIO
    accepted: set[str] = field(default_factory=set)
    failed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, app: str, headers, body: bytes) -> int:
        """Note a webhook; return the HTTP status to answer."""
        secret = self.secrets.get(app, "")
        event_id = headers.get("X-Fusion-Event-Id", "")
        event_type = headers.get("X-Fusion-Event-Type", "")
        with self.lock:
            arrival = Arrival(
                app=app,
                event_id=event_id,
                event_type=event_type,
                fusion=bool(secret) and fusion_is_valid(secret, headers, body),
                standard=bool(secret)
                and standard_is_valid(secret, headers, body, time.time()),
                intact=event_id == headers.get("webhook-id")
                and is_intact(body, app, event_id, event_type),
                repeated=event_id in self.accepted,
                answered=200,
            )
            if not (arrival.fusion and arrival.standard and arrival.intact):
                arrival.answered = 401
            elif event_type == FAILED_ONCE and not self.failed:
                self.failed = True
                arrival.answered = 503
            else:
                self.accepted.add(event_id)
            self.log.write(json.dumps(asdict(arrival)) + "\n")
            self.log.flush()
            return arrival.answered


def is_intact(body: bytes, app: str, event_id: str, event_type: str) -> bool:
    """Whether the body is JSON and names this app and event."""
    try:
        content = json.loads(body)
        named = content["service"], content["id"], content["type"]
    except (ValueError, KeyError, TypeError):
        return False
    return named == (app, event_id, event_type)


class Handler(BaseHTTPRequestHandler):
    server_version = "SampleReceiver"
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_S

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self._answer(413)
            return
        app = self.path.rpartition("/")[2]
        body = self.rfile.read(length)
        self._answer(self.server.inbox.take(app, self.headers, body))

    def _answer(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_args) -> None:
        """The log is `received.jsonl`."""


class Server(ThreadingHTTPServer):
    """An HTTPS server; the handshake happens in the connection's own thread."""

    daemon_threads = True

    def __init__(self, host: str, port: int, inbox: Inbox, context: ssl.SSLContext):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.inbox = inbox
        self.context = context
        super().__init__((host, port), Handler)

    def finish_request(self, request: socket.socket, client_address) -> None:
        request.settimeout(TIMEOUT_S)
        with contextlib.suppress(OSError):  # a failed handshake is the client's matter
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)


def main(folder: Path) -> None:
    secrets = json.load(sys.stdin)
    ca_path, server_path = make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_path)
    server_path.unlink()  # the key has been read, and nobody else needs it
    with (folder / "received.jsonl").open("w", encoding="utf-8") as log:
        inbox = Inbox(secrets, log)
        server = Server("127.0.0.1", 0, inbox, context)
        port = server.server_address[1]
        # where `localhost` means ::1 too; machines without IPv6 do without
        with contextlib.suppress(OSError):
            twin = Server("::1", port, inbox, context)
            threading.Thread(target=twin.serve_forever, daemon=True).start()
        ready = folder / "ready.json"
        draft = ready.with_suffix(".draft")
        draft.write_text(json.dumps({"port": port, "ca": str(ca_path)}))
        draft.replace(ready)
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
