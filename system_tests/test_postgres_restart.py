"""PostgreSQL is ended at once, and started again, while events come in."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from provisioning.postgres import Postgres
from provisioning.process import clean_env

from .api import Api, ApiCase
from .sender import Sender

BATCH = 100
RESTARTS = 3
FOUND = "SELECT count(*), count(DISTINCT idempotency_key) FROM fusion_billing_usage"


class TestPostgresRestart(ApiCase):
    """On a cluster of its own: the others' must go on."""

    seconds = 35
    quiet = False  # what is lost is an error in the log, and that is right

    @classmethod
    def setUpClass(cls):
        super(ApiCase, cls).setUpClass()
        source, cls.world = cls.shared_database("api", cls.make_world)
        cls.database = "restarted"
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
        cls.server = cls.start_server(cls.database)
        cls.api = Api(cls.server.port, cls.world["keys"]["app"], cls.database)

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

    def setUp(self):
        super().setUp()
        # Odoo ends when a process that is to start cannot connect. This is the last.
        self.wait_for(self.serves_the_bus, [self.server.process])

    def serves_the_bus(self) -> bool:
        return "Evented Service" in self.server.log.read_text(encoding="utf-8")

    def events(self) -> list[dict]:
        return [self.event(quantity=number) for number in range(BATCH)]

    def kill_postgres(self) -> None:
        """As if it had crashed: it ends without writing anything more."""
        [cluster] = self.postgres.clusters()
        pid = cluster.pid()
        os.kill(pid, signal.SIGQUIT)
        self.wait_for(lambda: cluster.pid() != pid, [])

    def test_each_event_is_there_once(self):
        with Sender(self.api, self.events) as sender:
            for _ in range(RESTARTS):
                sender.wait_for(10 * BATCH)
                self.kill_postgres()
                for path in ("/events", "/invoices"):
                    self.check_refused(self.api.call("GET", path), 503, "busy")
                self.check_refused(self.api.usage([]), 503, "busy")
                time.sleep(1)
                self.start_postgres()
        self.assertEqual(sender.problems, [])
        self.assertIsNone(self.server.process.poll(), "the server has ended")
        sent = len(sender.acknowledged)
        self.assertGreater(sent, RESTARTS * 10 * BATCH)
        self.assertEqual(self.psql(FOUND), f"{sent}|{sent}")
        queued = self.psql("SELECT count(*) > 0 FROM fusion_billing_rating_queue")
        self.assertEqual(queued, "t")
