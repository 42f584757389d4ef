"""Starts and stops the webhook receiver, which runs as a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from provisioning.errors import ProvisioningError

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10


class Receiver:
    """A running receiver: where it listens, whom to trust, and what it received."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"https://localhost:{port}"
        self.ca = folder / "ca.pem"

    def arrivals(self) -> list[dict]:
        """What arrived so far, in order; see `inbox.Arrival`."""
        text = (self.folder / "received.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@contextlib.contextmanager
def running_receiver(workspace, folder: Path, secrets: dict) -> Iterator[Receiver]:
    """A receiver for the time of a `with` block.

    :param folder: an existing folder that is its own
    :param secrets: app -> webhook secret
    """
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    log = workspace.logs / "demo-receiver.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [str(workspace.python), "-m", "demo.receiver", str(folder)],
            cwd=workspace.repo,
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        # not in a file, nor on the command line, where others could read them
        process.stdin.write(json.dumps(secrets).encode() + b"\n")
        process.stdin.flush()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ProvisioningError(
                    "The webhook receiver did not start.", "Read its log.", log
                )
            time.sleep(0.05)
        port = json.loads(ready.read_text(encoding="utf-8"))["port"]
        yield Receiver(folder, port)
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
