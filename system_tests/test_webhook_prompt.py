"""A running server sends an event right after its commit, not at the next turn."""

from __future__ import annotations

import time

from .webhook_case import WebhookCase

SOON_S = 20  # the job's turn comes every minute
EVENTS = 3


class TestWebhookPrompt(WebhookCase):
    seconds = 25
    paths = {"app": "/ok"}

    def test_events_are_sent_after_their_commit(self):
        server = self.workspace.start_server(
            self.database,
            name=f"system-{type(self).__name__}-server",
            cron_threads=1,
            sections=self.sections(),
        )
        self.addCleanup(server.stop)
        for number in range(1, EVENTS + 1):
            self.script(
                self.database,
                "replace_webhook_secret.py",
                {"service": "app", "overlap": None},
            )
            committed = time.monotonic()
            self.wait_for(
                lambda number=number: len(self.receipts()) == number, [server.process]
            )
            self.assertLess(time.monotonic() - committed, SOON_S)
        self.wait_for(
            lambda: self.states() == [("sent", "1", str(EVENTS))], [server.process]
        )
        self.assertEqual(self.times_received(), {1: EVENTS})
