"""A PostgreSQL of a test's own: one that is ended, while the others' go on."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from provisioning.postgres import Postgres
from provisioning.process import clean_env


class OwnCluster:
    """Beside a `SystemCase`; `workspace` is on the cluster from `use_cluster` on."""

    database = "restarted"

    @classmethod
    def use_cluster(cls, source: str) -> None:
        """Make a cluster that holds a copy of `source`, called `database`."""
        folder = Path(tempfile.mkdtemp(dir=cls.workspace.run_dir))
        cls.addClassCleanup(shutil.rmtree, folder)
        settings = dataclasses.replace(cls.workspace.settings, cache=folder)
        settings.logs.mkdir(parents=True)
        settings.state.mkdir()
        cls.postgres = Postgres(settings, cls.workspace.progress)
        cls.bin = cls.workspace.databases.connection.bindir
        cls.start_postgres()
        cls.addClassCleanup(cls.postgres.remove)
        cls.addClassCleanup(cls.postgres.leave)
        cls.copy_over(source)
        # As PostgreSQL is shipped; ours is told not to wait, for speed.
        cls.psql("ALTER SYSTEM SET synchronous_commit = on")
        cls.psql("SELECT pg_reload_conf()")
        cls.workspace = cls.workspace.on(cls.connection)
        cls.addClassCleanup(delattr, cls, "workspace")

    @classmethod
    def start_postgres(cls) -> None:
        cls.connection = cls.postgres.start(cls.bin)

    @classmethod
    def copy_over(cls, source: str) -> None:
        """Copy a database of the other cluster into this one."""
        theirs = clean_env(**cls.workspace.databases.connection.env())
        ours = clean_env(**cls.connection.env())
        subprocess.run([cls.bin / "createdb", cls.database], env=ours, check=True)
        with subprocess.Popen(
            [cls.bin / "pg_dump", "-Fc", source], env=theirs, stdout=subprocess.PIPE
        ) as dump:
            subprocess.run(
                [cls.bin / "pg_restore", "--no-owner", "-d", cls.database],
                env=ours,
                stdin=dump.stdout,
                check=True,
            )

    @classmethod
    def psql(cls, query: str) -> str:
        done = subprocess.run(
            [cls.bin / "psql", "-XqAt", "-d", cls.database, "-c", query],
            env=clean_env(**cls.connection.env()),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def kill_postgres(self) -> None:
        """As if it had crashed: it ends without writing anything more."""
        [cluster] = self.postgres.clusters()
        pid = cluster.pid()
        os.kill(pid, signal.SIGQUIT)
        self.wait_for(lambda: cluster.pid() != pid, [])
