"""PostgreSQL is ended at once, and started again, while events come in."""

from __future__ import annotations

import time

from .api import Api, ApiCase
from .own_cluster import OwnCluster
from .sender import Sender

BATCH = 100
RESTARTS = 3
FOUND = "SELECT count(*), count(DISTINCT idempotency_key) FROM fusion_billing_usage"


class TestPostgresRestart(OwnCluster, ApiCase):
    """On a cluster of its own: the others' must go on."""

    seconds = 35
    quiet = False  # what is lost is an error in the log, and that is right

    @classmethod
    def setUpClass(cls):
        super(ApiCase, cls).setUpClass()
        source, cls.world = cls.shared_database("api", cls.make_world)
        cls.use_cluster(source)
        cls.server = cls.start_server(cls.database)
        cls.api = Api(cls.server.port, cls.world["keys"]["app"], cls.database)

    def setUp(self):
        super().setUp()
        # Odoo ends when a process that is to start cannot connect. This is the last.
        self.wait_for(self.serves_the_bus, [self.server.process])

    def serves_the_bus(self) -> bool:
        return "Evented Service" in self.server.log.read_text(encoding="utf-8")

    def events(self) -> list[dict]:
        return [self.event(quantity=number) for number in range(BATCH)]

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
