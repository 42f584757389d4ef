"""Servers, workers and database sessions end in the middle of a request.

The app posts again what was not acknowledged; afterwards each event is there once.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import time

from .api import Api, ApiCase, children, leave
from .hostile_http import Pieces
from .sender import Sender, post_until_answered

BATCH = 100
NAMES = ("sub-1", "sub-2", "sub-3", "sub-4")
BUSY = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND state <> 'idle' AND query LIKE '%INSERT INTO fusion_billing_usage%'
"""
TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'odoo-%'
"""
FOUND = """
    SELECT count(*), count(DISTINCT idempotency_key), coalesce(sum(quantity), 0)
      FROM fusion_billing_usage
"""


class TestHttpCrash(ApiCase):
    seconds = 20
    # a lost session is an error in the log, and that is right
    quiet = False

    def events(self) -> list[dict]:
        names = itertools.cycle(NAMES)
        return [
            self.event(subscription_external_id=next(names), quantity=number)
            for number in range(BATCH)
        ]

    def setUp(self):
        super().setUp()
        self.before = [int(part) for part in self.psql(FOUND).split("|")]

    def check_all_once(self, sender: Sender) -> None:
        """What was acknowledged is there, once, as it was sent; nothing else is."""
        self.assertEqual(sender.problems, [])
        count, keys, quantity = self.before
        sent = sender.acknowledged
        self.assertEqual(
            self.psql(FOUND),
            f"{count + len(sent)}|{keys + len(sent)}"
            f"|{quantity + sum(event['quantity'] for event in sent)}",
        )

    def busy(self) -> bool:
        """Whether events are being stored right now."""
        return self.psql(BUSY) != "0"

    def test_workers_killed(self):
        with Sender(self.api, self.events) as sender:
            for _ in range(6):
                sender.wait_for(3 * BATCH)
                workers = children(self.server, http_only=True)
                self.wait_for(self.busy, [self.server.process])
                self.end(random.choice(workers))
        self.check_all_once(sender)

    def end(self, *pids: int) -> None:
        """Without a chance to clean up."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def test_server_killed(self):
        name = f"system-{type(self).__name__}-killed"
        options = {"workers": self.workers}
        start = self.workspace.start_server
        server = start(self.database, name=name, options=options)
        self.addCleanup(lambda: server.stop())
        with Sender(Api(server.port, self.api.key), self.events) as sender:
            for _ in range(2):
                sender.wait_for(10 * BATCH)
                self.end(server.pid, *children(server))
                server.process.wait()
                server = start(self.database, server.port, name=name, options=options)
        self.check_all_once(sender)

    def test_sessions_ended_by_the_database(self):
        with Sender(self.api, self.events) as sender:
            for _ in range(6):
                sender.wait_for(3 * BATCH)
                self.psql(TERMINATE)
        self.check_all_once(sender)

    def test_database_away(self):
        """For some seconds nobody can connect, as while PostgreSQL starts again. Not
        the server itself is stopped: other tests use it."""
        database = self.workspace.databases
        # where none is named Odoo looks which one there is, and finds none then
        api = Api(self.server.port, self.api.key, self.database)
        with Sender(api, self.events) as sender:
            for _ in range(2):
                sender.wait_for(3 * BATCH)
                change = f'ALTER DATABASE "{self.database}" ALLOW_CONNECTIONS'
                database.sql("postgres", f"{change} false")
                try:
                    self.psql(TERMINATE)
                    time.sleep(1)
                    answer = api.usage([])
                finally:
                    database.sql("postgres", f"{change} true")
                self.check_refused(answer, 503, "busy")
                self.assertEqual(answer.headers["retry-after"], "1")
        self.check_all_once(sender)

    def test_clients_gone(self):
        """They send and do not wait for the answer; then they ask again."""
        batches = [self.events() for _ in range(20)]
        for events in batches:
            body = json.dumps({"events": events}).encode()
            leave(self.server.port, Pieces().render(self.api.key, body))
        sender = Sender(self.api, self.events)
        for events in batches:
            answer = post_until_answered(lambda e=events: self.api.usage(e))
            body = self.check_json(answer, 200)
            self.assertEqual(body["accepted"] + body["duplicates"], BATCH)
            sender.acknowledged += events
        self.check_all_once(sender)
