"""What the system tests share: databases, scripts, processes, and questions in SQL."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.odoo_log import BAD_LEVELS, entries
from provisioning.workspace import Workspace

SCRIPTS = Path(__file__).with_name("scripts")
INVOICE_JOB = "sale_subscription.ir_cron_recurring_invoice"
EXPIRY_JOB = "sale_subscription.ir_cron_subscription_expiration"
MODULE = "sale_subscription"
PATIENCE = 300.0  # seconds that a process may take to get somewhere


class SystemCase(unittest.TestCase):
    """Real databases and real processes. The runner sets the first three."""

    workspace: Workspace
    base: str  # a database with sale_subscription and nothing in it
    prefix: str  # what the names of our databases begin with
    seconds = 10  # how long the class takes; the runner begins with the longest
    _shared: dict[str, tuple[str, object]] = {}
    _sharing = threading.Lock()  # classes run side by side

    # -- databases -------------------------------------------------------------

    @classmethod
    def shared_database(
        cls, name: str, build: Callable[[str], object]
    ) -> tuple[str, object]:
        """A database for several classes to copy, made by the one that comes first.

        :param build: fills the copy of the base that it gets the name of
        :return: its name, and what ``build`` returned
        """
        with cls._sharing:
            if name not in cls._shared:
                database = f"{cls.prefix}shared_{name}"
                try:
                    cls.workspace.databases.copy(cls.base, database)
                    cls._shared[name] = database, build(database)
                except BaseException:
                    cls.workspace.drop_database(database)
                    raise
            return cls._shared[name]

    @classmethod
    def drop_shared_databases(cls) -> None:
        while cls._shared:
            cls.workspace.drop_database(cls._shared.popitem()[1][0])

    @classmethod
    def copy_database(cls, name: str, source: str = "") -> str:
        """Copy ``source``, or the base; dropped when the class is done."""
        database = f"{cls.prefix}{cls.__name__.lower()}_{name}"
        cls.addClassCleanup(cls.workspace.drop_database, database)
        cls.workspace.databases.copy(source or cls.base, database)
        return database

    @classmethod
    def rows(cls, database: str, sql: str) -> list[tuple[str, ...]]:
        """Rows of a query, all values as text."""
        output = cls.workspace.psql(database, sql)
        return [tuple(line.split("|")) for line in output.splitlines()]

    @classmethod
    def value(cls, database: str, sql: str) -> str:
        return cls.workspace.psql(database, sql)

    # -- processes -------------------------------------------------------------

    @classmethod
    def script(
        cls, database: str, script: str, args: object = None, at: datetime | None = None
    ):
        """Run one of scripts/ to its end; returns what it printed, read as JSON."""
        name = f"system-{cls.__name__}-{Path(script).stem}"
        try:
            output = cls.workspace.run_script(
                database, SCRIPTS / script, args, at=at, name=name
            )
        except ProvisioningError as error:
            raise AssertionError(error.render()) from error
        cls.check_log(cls.workspace.logs / f"{name}-odoo.log")
        lines = output.strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    def start_script(
        self,
        database: str,
        script: str,
        args: object,
        at: datetime | None,
        name: str,
    ) -> subprocess.Popen:
        """Start one of scripts/; it is killed when the test ends."""
        process = self.workspace.start_script(
            database,
            SCRIPTS / script,
            args,
            at=at,
            name=f"system-{type(self).__name__}-{name}",
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @classmethod
    def odoo(cls, database: str, *args: str, conf: Path | None = None) -> str:
        """Run Odoo's server command to its end; it must succeed without a warning."""
        log = f"system-{cls.__name__}-server"
        try:
            output = cls.workspace.run_odoo(
                *("server", "-d", database, *args),
                *("--stop-after-init", "--no-http", "--log-level=info"),
                what=f"Odoo {' '.join(args)}",
                log=log,
                conf=conf,
            )
        except ProvisioningError as error:
            raise AssertionError(error.render()) from error
        cls.check_log(cls.workspace.logs / f"{log}.log")
        return output

    @classmethod
    def check_log(cls, log: Path) -> None:
        """Raise AssertionError for a warning or an error in one of Odoo's logs."""
        if not log.exists():
            return
        with log.open(encoding="utf-8", errors="replace") as lines:
            bad = [e.text() for e in entries(lines) if e.level in BAD_LEVELS]
        if bad:
            raise AssertionError(f"{log} holds:\n" + "\n".join(bad))

    @classmethod
    def run_jobs(
        cls, database: str, *xmlids: str, at: datetime | None = None, **args
    ) -> None:
        """Run scheduled actions, in a process whose clock stands at ``at``."""
        cls.script(database, "run_jobs.py", {"jobs": xmlids, **args}, at=at)

    def race(
        self, database: str, job: str, count: int, at: datetime | None = None, **args
    ) -> None:
        """Run a scheduled action in ``count`` processes that begin at once.

        Odoo runs one job in one process at a time: each has a copy of its own.
        """
        jobs = self.script(database, "copy_job.py", {"job": job, "count": count})
        folder = Path(tempfile.mkdtemp(dir=self.workspace.run_dir))
        self.addCleanup(shutil.rmtree, folder)
        go = folder / "go"
        ready = [folder / f"ready-{job}" for job in jobs]
        processes = [
            self.start_script(
                database,
                "run_jobs.py",
                {"jobs": [job], "ready": str(path), "go": str(go), **args},
                at=at,
                name=f"runner-{number}",
            )
            for number, (job, path) in enumerate(zip(jobs, ready, strict=True))
        ]
        self.wait_for(lambda: all(path.exists() for path in ready), processes)
        go.touch()
        self.assertEqual([process.wait() for process in processes], [0] * count)

    def kill_when(
        self,
        condition: Callable[[], bool],
        database: str,
        job: str,
        delay: float = 0.0,
        at: datetime | None = None,
        **args,
    ) -> None:
        """Start a scheduled action; kill it, without a chance to clean up, so many
        seconds after ``condition()``."""
        process = self.start_script(
            database, "run_jobs.py", {"jobs": [job], **args}, at=at, name="killed"
        )
        self.wait_for(condition, [process])
        time.sleep(delay)
        process.kill()
        self.assertEqual(process.wait(), -9, "it was done before it was killed")

    # -- waiting ---------------------------------------------------------------

    def wait_for(
        self, condition: Callable[[], bool], processes: Sequence[subprocess.Popen]
    ) -> None:
        """Wait until ``condition()``; fail when one of the processes ends before."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            for process in processes:
                if process.poll() is not None and not condition():
                    self.fail(f"a process ended early, with code {process.returncode}")
            if time.monotonic() > deadline:
                self.fail(f"nothing happened for {PATIENCE:.0f} s")
            time.sleep(0.04)
