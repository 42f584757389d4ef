"""A large backlog is sent fairly, and a receiver that never answers delays nobody."""

from __future__ import annotations

from .webhook_case import WebhookCase

LARGE = 95_000
SMALL = 1000
SMALL_ONES = 5


class TestWebhookBacklog(WebhookCase):
    seconds = 90
    paths = {
        "large": "/ok/large",
        **{f"small-{n}": f"/ok/small-{n}" for n in range(SMALL_ONES)},
        "mute": "/never",
    }

    def test_the_large_one_hides_nobody(self):
        self.enqueue("large", LARGE)
        for number in range(SMALL_ONES):
            self.enqueue(f"small-{number}", SMALL)
        self.deliver()
        count = LARGE + SMALL * SMALL_ONES
        self.assertEqual(self.states(), [("sent", "1", str(count))])
        self.assertEqual(self.times_received(), {1: count})
        paths = [path for path, _event in self.receipts()]
        last = max(
            place for place, path in enumerate(paths) if path.startswith("/ok/small")
        )
        # all of the small ones among the first third, with the large one beside them
        self.assertLess(last, count / 3)
        self.assertIn("/ok/large", paths[:100])

    def test_a_mute_receiver_delays_nobody(self):
        self.enqueue("mute", 50)
        self.enqueue("large", 2000)
        self.deliver()
        paths = [path for path, _event in self.receipts()]
        # Four at a time wait for it in vain. All others are sent before the next four.
        mute = [place for place, path in enumerate(paths) if path == "/never"]
        self.assertLessEqual(len(mute), 8)
        if len(mute) > 4:
            self.assertEqual(mute[4:], [*range(2004, 2000 + len(mute))])
        sent = self.value(
            self.database,
            "SELECT count(*) FROM fusion_billing_webhook WHERE state = 'sent'",
        )
        self.assertEqual(sent, "2000")
        tried = self.rows(
            self.database,
            "SELECT attempts, last_error FROM fusion_billing_webhook"
            " WHERE attempts > 0 AND state = 'pending'",
        )
        self.assertEqual({*tried}, {("1", "timeout: no complete answer in time")})
        paused = self.value(
            self.database,
            "SELECT webhook_paused_until > now() AT TIME ZONE 'UTC'"
            " FROM fusion_billing_webhook_endpoint e"
            " JOIN fusion_billing_service s ON s.webhook_endpoint_id = e.id"
            " WHERE s.code = 'mute'",
        )
        self.assertEqual(paused, "t" if len(mute) > 4 else "")
