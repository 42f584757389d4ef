"""A running Odoo: waiting until it answers, stopping it, finding it again later."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .errors import ProvisioningError

HOST = "127.0.0.1"
START_TIMEOUT = 120.0  # seconds; the first start compiles and loads every module
STOP_TIMEOUT = 20.0
# What Odoo writes into its log once the port is its own.
BOUND = "HTTP service (werkzeug) running"


# Ports that the kernel gives to no outgoing connection: those would take one in the
# seconds between asking for it and listening on it.
PORTS = range(15_000, 32_000)


def free_port(preferred: int = 0) -> int:
    """A TCP port nobody listens on: `preferred` if it is free, else any."""
    wanted = [preferred] if preferred else []
    for port in (*wanted, *random.sample(PORTS, 100)):
        if _answers(port):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                return probe.getsockname()[1]
    raise ProvisioningError("No TCP port is free.", "Stop programs that listen.")


def _answers(port: int) -> bool:
    """Whether somebody listens there, on any address that `localhost` stands for."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def started_at(pid: int) -> str:
    """Start time of a process: with the pid it names one process for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        done = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()


@dataclass
class Server:
    """An Odoo server process started by us."""

    pid: int
    port: int
    database: str
    log: Path
    started: str
    process: subprocess.Popen | None = None
    record: Path | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_error) -> None:
        self.stop()

    def alive(self) -> bool:
        if self.process:
            return self.process.poll() is None
        return bool(self.started) and started_at(self.pid) == self.started

    def wait_until_ready(self) -> None:
        """Return when the database answers over HTTP: by this server, and not by
        another one that has taken the port meanwhile.

        Raises ProvisioningError when the server ends or takes too long.
        """
        deadline = time.monotonic() + START_TIMEOUT
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < deadline:
            if not self.alive():
                break
            if BOUND in self.log.read_text(encoding="utf-8", errors="replace"):
                with contextlib.suppress(OSError, urllib.error.URLError):
                    with opener.open(f"{self.url}/web/login", timeout=30) as answer:
                        if answer.status == 200 and self.alive():
                            return
            time.sleep(0.2)
        self.stop()
        raise ProvisioningError(
            f"Odoo on database {self.database} does not answer at {self.url}.",
            "Read the log; the error is usually in its last lines.",
            self.log,
        )

    def stop(self) -> bool:
        """End it, softly first; False when it had ended already."""
        was_alive = self.alive()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive():
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            deadline = time.monotonic() + STOP_TIMEOUT
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.05)
        if self.record:
            self.record.unlink(missing_ok=True)
        return was_alive

    def remember(self, record: Path) -> None:
        """Write down how to find this server again."""
        self.record = record
        data = {name: getattr(self, name) for name in ("pid", "port", "database")}
        data.update(log=str(self.log), started=self.started)
        record.write_text(json.dumps(data), encoding="utf-8")


def remembered(record: Path) -> Server | None:
    """The server written down in `record`, if it still runs."""
    try:
        data = json.loads(record.read_text(encoding="utf-8"))
        data["log"] = Path(data["log"])
        server = Server(**data, record=record)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if server.alive():
        return server
    record.unlink(missing_ok=True)
    return None
