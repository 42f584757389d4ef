"""Several processes deliver at once: each event is sent once, and nobody waits long."""

from __future__ import annotations

import signal

from .webhook_case import JOB, WebhookCase

COUNT = 10_000
NOTED = """
    SELECT w.state, w.attempts, w.sent_at, w.write_date, a.id, a.started_at
      FROM fusion_billing_webhook w
      JOIN fusion_billing_webhook_attempt a ON a.webhook_id = w.id
"""
SERVICES = 5


class TestWebhookRace(WebhookCase):
    seconds = 40
    paths = {f"app-{n}": f"/ok/{n}" for n in range(SERVICES)} | {"held": "/held"}

    def test_each_is_sent_once(self):
        for number in range(SERVICES):
            self.enqueue(f"app-{number}", COUNT // SERVICES)
        self.race(self.database, JOB, 2)
        self.assertEqual(self.states(), [("sent", "1", str(COUNT))])
        self.assertEqual(self.times_received(), {1: COUNT})

    def test_a_lease_that_another_process_has_taken_over(self):
        """A process hangs until its lease has ended and another one has sent the event:
        what it has to say then no longer counts."""
        self.enqueue("held", 1)
        [copied] = self.script(self.database, "copy_job.py", {"job": JOB, "count": 1})
        first = self.start_script(
            self.database, "run_jobs.py", {"jobs": [JOB]}, at=None, name="first"
        )
        self.wait_for(lambda: len(self.receipts()) == 1, [first])
        first.send_signal(signal.SIGSTOP)
        self.end_leases()
        (self.folder / "go").touch()
        self.run_jobs(self.database, copied)
        self.assertEqual(self.times_received(), {2: 1})
        noted = self.rows(self.database, NOTED)
        self.assertEqual([row[:2] for row in noted], [("sent", "1")])
        first.send_signal(signal.SIGCONT)
        self.assertEqual(first.wait(), 0)
        self.assertEqual(self.rows(self.database, NOTED), noted)
