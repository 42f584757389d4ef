"""Webhook delivery is killed at each of its stages: no event is lost."""

from __future__ import annotations

import time

from .webhook_case import JOB, WebhookCase

COUNT = 40
LEASED = "SELECT count(*) FROM fusion_billing_webhook WHERE lease_token IS NOT NULL"


class TestWebhookCrash(WebhookCase):
    seconds = 45
    paths = {"app": "/ok"}

    def setUp(self):
        super().setUp()
        # Odoo leaves out a run of a job that was ended three times in a row.
        self.value(self.database, "DELETE FROM ir_cron_progress")

    def kill_at(self, point: str) -> None:
        reached = self.folder / "reached"
        self.kill_when(reached.exists, self.database, JOB, stop=[point, str(reached)])
        reached.unlink()

    def check_all_arrive(self, repeated: int) -> None:
        """After the leases, what was left is sent; so many at most come twice."""
        self.end_leases()
        self.deliver()
        self.assertEqual(self.states(), [("sent", "1", str(COUNT))])
        times = self.times_received()
        self.assertEqual(sum(times.values()), COUNT)
        self.assertLessEqual(times.total() - times[1], repeated)
        self.assertLessEqual({*times}, {1, 2})

    def test_claimed_and_not_committed(self):
        self.enqueue("app", COUNT)
        self.kill_at("claimed, not committed")
        self.assertEqual(self.receipts(), [])
        self.assertEqual(self.value(self.database, LEASED), "0")
        self.check_all_arrive(repeated=0)

    def test_leased_and_not_sent(self):
        self.enqueue("app", COUNT)
        self.kill_at("leased, not sent")
        self.assertEqual(self.receipts(), [])
        leased = int(self.value(self.database, LEASED))
        self.assertGreater(leased, 0)
        self.deliver()  # the others: nothing waits for the leases
        self.assertEqual(
            self.states(),
            [("pending", "0", str(leased)), ("sent", "1", str(COUNT - leased))],
        )
        self.check_all_arrive(repeated=0)

    def test_sent_and_not_recorded(self):
        self.enqueue("app", COUNT)
        self.kill_at("sent, not recorded")
        sent = len(self.receipts())
        self.assertGreater(sent, 0)
        self.assertEqual(self.states(), [("pending", "0", str(COUNT))])
        self.check_all_arrive(repeated=sent)

    def test_recorded_and_not_committed(self):
        self.enqueue("app", COUNT)
        self.kill_at("recorded, not committed")
        sent = len(self.receipts())
        self.assertGreater(sent, 0)
        self.assertEqual(self.states(), [("pending", "0", str(COUNT))])
        self.check_all_arrive(repeated=sent)

    def test_in_the_middle(self):
        self.enqueue("app", COUNT * 25)
        self.kill_when(
            lambda: len(self.receipts()) > COUNT * 5, self.database, JOB, delay=0.01
        )
        time.sleep(0.1)  # what was on its way arrives
        leased = int(self.value(self.database, LEASED))
        self.end_leases()
        self.deliver()
        self.assertEqual(self.states(), [("sent", "1", str(COUNT * 25))])
        times = self.times_received()
        self.assertEqual(sum(times.values()), COUNT * 25)
        self.assertLessEqual(times[2], leased)
        self.assertLessEqual({*times}, {1, 2})
