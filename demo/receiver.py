"""The apps' webhook receiver: a real HTTPS server on this machine only.

    python -m demo.receiver FOLDER

The first line of standard input is JSON with the webhook secret of each app. It makes
its certificates in FOLDER, then writes `ready.json` with its port, and a line to
`received.jsonl` for each webhook that arrives: whether its signatures hold, and what
was answered. Runs until its standard input ends.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .certificate import make_certificates
from .inbox import Inbox

MAX_BODY = 1024 * 1024
TIMEOUT_S = 30


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
        self._answer(self.server.inbox.take(app, self.headers, body, time.time()))

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
    secrets = json.loads(sys.stdin.readline())
    ca_path, server_path = make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_path)
    server_path.unlink()  # the key has been read, and nobody else needs it
    with (folder / "received.jsonl").open("w", encoding="utf-8") as log:
        inbox = Inbox(secrets, log)
        server = Server("127.0.0.1", 0, inbox, context)
        serve(server)
        port = server.server_address[1]
        # where `localhost` means ::1 too; machines without IPv6 do without
        with contextlib.suppress(OSError):
            serve(Server("::1", port, inbox, context))
        ready = folder / "ready.json"
        draft = ready.with_suffix(".draft")
        draft.write_text(json.dumps({"port": port, "ca": str(ca_path)}))
        draft.replace(ready)
        # a demo that is killed closes its end too: nothing is left running
        sys.stdin.read()


def serve(server: Server) -> None:
    threading.Thread(target=server.serve_forever, daemon=True).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
