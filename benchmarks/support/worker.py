"""An Odoo process that stays up and does one thing after another when told to."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.server import HOST
from provisioning.workspace import Workspace

START_TIMEOUT = 180.0  # seconds until the script must have called back
END_TIMEOUT = 20.0


class Worker:
    """The near end: sends [method, arguments], gets [good, answer], in JSON lines."""

    def __init__(self, name: str, log: Path, connection: socket.socket) -> None:
        self.name = name
        self.log = log
        self.stream = connection.makefile("rw", encoding="utf-8")

    def __call__(self, method: str, **arguments):
        """Have `method` called over there; returns what it returns.

        Raises ProvisioningError with the traceback when it fails.
        """
        with contextlib.suppress(OSError):
            print(json.dumps([method, arguments]), file=self.stream, flush=True)
        line = self.read()
        if not line:
            raise ProvisioningError(
                f"The Odoo process on {self.name} ended.", "Read its log.", self.log
            )
        good, answer = json.loads(line)
        if not good:
            raise ProvisioningError(
                f"{method} failed on {self.name}:\n{answer}", "Read its log.", self.log
            )
        return answer

    def read(self) -> str:
        try:
            return self.stream.readline()
        except OSError:
            return ""


@contextlib.contextmanager
def running_worker(
    workspace: Workspace, database: str, script: Path, at: datetime | None, **args
) -> Iterator[Worker]:
    """Run `script` on a database until the block ends.

    :param at: the moment its clock begins at; None: it is ours
    """
    name = f"bench-{database}"
    log = workspace.logs / f"{name}.log"
    key = secrets.token_hex(16)
    with socket.create_server((HOST, 0)) as listener:
        call = {
            **args,
            "address": listener.getsockname(),
            "key": key,
            "repo": str(workspace.repo),
        }
        process = workspace.start_script(database, script, call, at, name)
        try:
            listener.settimeout(START_TIMEOUT)
            try:
                connection, _address = listener.accept()
            except TimeoutError as error:
                raise ProvisioningError(
                    f"Odoo does not start on {database}.", "Read its log.", log
                ) from error
            with connection:
                connection.settimeout(None)
                worker = Worker(database, log, connection)
                if worker.read().strip() != key:
                    raise ProvisioningError("A stranger called.", "Run it again.")
                yield worker
                # the end of the connection is the end of its work
                connection.shutdown(socket.SHUT_RDWR)
            process.wait(END_TIMEOUT)
        finally:
            process.kill()
            process.wait()
