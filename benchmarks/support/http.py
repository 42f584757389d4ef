"""Timed requests, and how much memory the process that answers them takes."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.server import HOST, Server

TIMEOUT = 600.0


@dataclass
class Client:
    """Sends requests to one server, each on a connection of its own, as Odoo serves
    them: it closes the connection behind each answer."""

    server: Server
    key: str  # bearer key

    def timed(self, method: str, path: str, body: bytes | None = None) -> float:
        """Seconds from connecting to the end of the answer, which must be 200."""
        return self.answer(method, path, body)[0]

    def answer(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[float, bytes]:
        """The same seconds, and what was answered."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        start = time.perf_counter()
        connection = http.client.HTTPConnection(HOST, self.server.port, timeout=TIMEOUT)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        spent = time.perf_counter() - start
        connection.close()
        if answer.status != 200:
            text = content[:500].decode(errors="replace")
            raise ProvisioningError(
                f"{method} {path} was answered {answer.status}: {text}",
                "Read the server's log.",
                self.server.log,
            )
        return spent, content

    def post(self, path: str, content: object) -> float:
        return self.timed("POST", path, json.dumps(content).encode())


def worker_of(server: Server) -> int:
    """Process id of the one HTTP worker of a server with `workers = 1`."""
    task = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    for pid in map(int, task.read_text(encoding="utf-8").split()):
        # the other child serves the bus, and says so on its command line
        if b"gevent" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise ProvisioningError("The server has no worker.", "Read its log.", server.log)


@dataclass(frozen=True)
class Memory:
    """Resident memory of one process, in MB."""

    pid: int

    def now(self) -> float:
        return self._of("VmRSS")

    def peak(self) -> float:
        """The most since `forget_peak`."""
        return self._of("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def _of(self, name: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        line = next(x for x in status.splitlines() if x.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024 / 1e6
