"""An app that asks for too much: many threads that go on until nobody wants them to.

    python3 -m system_tests.crowd PORT KEY KIND THREADS [ARGUMENT]

in a process of its own, so that it does not slow down who measures. It goes on until
its input ends, and prints how often it got which status, as JSON.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime, timedelta

from provisioning.server import HOST
from provisioning.settings import REPO

from .api import USAGE, Api, instant

DRIP = 0.5  # seconds between two bytes of a slow body
PATIENCE = 30  # seconds that the first answer may take
_numbers = itertools.count(1)


def reconcile(api: Api, _argument: str) -> int:
    """Totals that differ from ours, of one window after the other."""
    number = next(_numbers)
    content = {
        "subscription_external_id": "sub-1",
        "metric_code": "calls",
        "window_start": "2020-01-01",
        "window_end": instant(datetime(2020, 2, 1) + timedelta(seconds=number)),
        "declared_quantity": number,
    }
    return api.call("POST", "/reconciliations", content).status


def ask(api: Api, path: str) -> int:
    """One request as apps send it; who is told to come again does not listen."""
    if path:
        return api.call("GET", path).status
    return api.usage([]).status


def drip(api: Api, _path: str) -> int:
    """A body that does not come to its end, byte by byte."""
    head = (
        f"POST {USAGE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    with socket.create_connection((HOST, api.port), timeout=DRIP) as connection:
        connection.sendall(head.encode())
        while True:
            with contextlib.suppress(TimeoutError):
                return int(connection.recv(12).split()[1])
            connection.sendall(b" ")


KINDS = {"ask": ask, "drip": drip, "reconcile": reconcile}


def main(port: str, key: str, kind: str, threads: str, argument: str = "") -> None:
    api, work = Api(int(port), key), KINDS[kind]
    statuses: Counter = Counter()
    over = threading.Event()

    def go_on():
        while not over.is_set():
            try:
                statuses[work(api, argument)] += 1
            except (OSError, IndexError):  # hung up on
                statuses["no answer"] += 1
                time.sleep(0.01)

    for _number in range(int(threads)):
        threading.Thread(target=go_on, daemon=True).start()
    sys.stdin.read()
    over.set()
    deadline = time.monotonic() + PATIENCE
    while not statuses and time.monotonic() < deadline:
        time.sleep(0.1)  # the first of a slow kind, as a PDF file, is under way
    sys.stdout.write(json.dumps(statuses))
    sys.stdout.flush()


class Crowd:
    """Such a process, from the outside.

    :param kind: one of :data:`KINDS`
    :param argument: of ask the path of a GET request, without which usage is sent, of
        no event
    """

    def __init__(self, api: Api, kind: str, threads: int, argument: object = ""):
        arguments = [str(api.port), api.key, kind, str(threads), str(argument)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments],
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def end(self) -> dict[str, int]:
        """Stop it; returns how often it got which status."""
        return json.loads(self._process.communicate(timeout=60)[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
