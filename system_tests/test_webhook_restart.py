"""PostgreSQL is ended at once, and started again, while webhooks go out."""

from __future__ import annotations

from .own_cluster import OwnCluster
from .webhook_case import JOB, WebhookCase

COUNT = 4000
RESTARTS = 2
LEASED = "SELECT count(*) FROM fusion_billing_webhook WHERE lease_token IS NOT NULL"


class TestWebhookRestart(OwnCluster, WebhookCase):
    seconds = 35
    paths = {"app": "/ok"}

    @classmethod
    def use_database(cls, source: str) -> None:
        cls.use_cluster(source)

    def test_nothing_is_lost(self):
        self.enqueue("app", COUNT)
        leased = 0
        for number in range(1, RESTARTS + 1):
            process = self.start_script(
                self.database, "run_jobs.py", {"jobs": [JOB]}, None, "cut-off"
            )
            goal = number * COUNT // (RESTARTS + 2)
            self.wait_for(lambda goal=goal: len(self.receipts()) > goal, [process])
            self.kill_postgres()
            self.assertNotEqual(process.wait(), 0, "it was done before")
            self.start_postgres()
            leased += int(self.value(self.database, LEASED))
            self.end_leases()
        self.deliver()
        self.assertEqual(self.states(), [("sent", "1", str(COUNT))])
        times = self.times_received()
        self.assertEqual(sum(times.values()), COUNT)
        self.assertLessEqual(len(self.receipts()) - COUNT, leased)
