import json
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from ...engine.webhook import transport
from ...models.webhook import sender as webhook_sender
from .webhook_case import TIMEOUT, WebhookCase


@tagged("post_install", "-at_install")
class TestWebhookDelivery(WebhookCase):
    def test_the_body_is_canonical_and_stored_once(self):
        webhook = self._enqueue()
        body = json.loads(webhook.payload)
        self.assertEqual(
            webhook.payload,
            json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        )
        self.assertIn('"data":{"a":[1,null],"b":"ü"}', webhook.payload)
        self.assertEqual(body["id"], webhook.event_id)
        self.assertEqual(body["type"], "webhook.test")
        with self.assertRaises(UserError):
            webhook.payload = "{}"

    def test_every_attempt_posts_the_stored_bytes_under_the_same_id(self):
        webhook = self._enqueue()
        first = self._deliver(self._answer(500))
        webhook.next_attempt_at = datetime(2026, 1, 1)
        second = self._deliver(self._answer(200))
        for _target, body, headers in first + second:
            self.assertEqual(body, webhook.payload.encode())
            self.assertEqual(headers["X-Fusion-Event-Id"], webhook.event_id)
            self.assertEqual(headers["webhook-id"], webhook.event_id)
            self.assertEqual(headers["X-Fusion-Event-Type"], "webhook.test")
        self.assertEqual(len(first + second), 2)
        self.assertEqual((webhook.state, webhook.attempts), ("sent", 2))

    def test_the_delay_doubles_up_to_1024_minutes(self):
        webhook = self._enqueue()
        for attempts, minutes in ((1, 2), (2, 4), (3, 8), (10, 1024), (11, 1024)):
            webhook.write(
                {
                    "attempts": attempts - 1,
                    "first_attempt_at": False,
                    "next_attempt_at": datetime(2026, 1, 1),
                }
            )
            with freeze_time("2026-01-10 12:00:00"):
                self._deliver(self._answer(503))
            with self.subTest(attempts=attempts):
                delay = webhook.next_attempt_at - datetime(2026, 1, 10, 12)
                self.assertEqual(webhook.attempts, attempts)
                self.assertGreaterEqual(delay, timedelta(minutes=minutes))
                self.assertLessEqual(delay, timedelta(minutes=minutes * 1.1))

    def test_it_is_given_up_after_days_and_can_be_replayed(self):
        webhook = self._enqueue()
        webhook.first_attempt_at = datetime(2026, 1, 1)
        webhook.next_attempt_at = datetime(2026, 1, 1)
        with freeze_time("2026-01-04 13:00:00"):
            self._deliver(self._answer(500))
        self.assertEqual(webhook.state, "dead")
        event_id = webhook.event_id
        webhook.action_replay()
        [(_target, _body, headers)] = self._deliver(self._answer(200))
        self.assertEqual(headers["X-Fusion-Event-Id"], event_id)
        self.assertEqual(webhook.state, "sent")

    def test_a_receiver_that_cannot_be_reached_is_tried_again(self):
        webhook = self._enqueue()
        self._deliver(transport.TransportError("connect", "connection refused"))
        self.assertEqual(webhook.state, "pending")
        self.assertIn("connect", webhook.last_error)
        self.assertFalse(webhook.lease_token)

    def test_each_attempt_is_noted(self):
        webhook = self._enqueue()
        answer = transport.Response(500, b"no\x00 \xff" + b"x" * 2000, {})
        self._deliver(answer)
        webhook.next_attempt_at = datetime(2026, 1, 1)
        self._deliver(TIMEOUT)
        webhook.next_attempt_at = datetime(2026, 1, 1)
        self._deliver(self._answer(204))
        attempts = webhook.attempt_ids.sorted("id")
        self.assertEqual(
            attempts.mapped("result"), ["refused", "unreachable", "delivered"]
        )
        self.assertEqual(attempts.mapped("status"), [500, 0, 204])
        self.assertEqual(len(attempts[0].response_head), 1024)
        self.assertTrue(attempts[0].response_head.startswith("no\ufffd \ufffdxx"))
        self.assertIn("too slow", attempts[1].error)

    def test_a_leased_event_is_not_claimed_again_until_the_lease_ends(self):
        """A worker died after claiming: the event waits for the lease, no longer."""
        Webhook = self.env["fusion.billing.webhook"]
        with freeze_time("2026-01-10 12:00:00"):
            webhook = self._enqueue()
            [claim] = Webhook._claim(Webhook._receivers_now())
            self.assertEqual(claim.id, webhook.id)
            self.assertFalse(Webhook._claim(Webhook._receivers_now()))
        with freeze_time("2026-01-10 12:02:00"):
            [second] = Webhook._claim(Webhook._receivers_now())
            # the first worker comes back late: its word no longer counts
            done = webhook_sender.Outcome(200, None)
            webhook._record_once([(claim, done)])
            self.assertEqual(webhook.state, "pending")
            # nor when this is heard by the one that holds the lease
            webhook._record_once([(second, done), (claim, done)])
            self.assertEqual(webhook.state, "sent")

    def test_without_an_address_the_event_is_kept_and_not_sent(self):
        self.service.webhook_url = False
        webhook = self._enqueue()
        self.assertFalse(self._deliver())
        self.assertEqual((webhook.state, webhook.attempts), ("pending", 0))

    def test_no_more_is_claimed_than_there_is_room_for(self):
        """Some plans of PostgreSQL evaluated the limited query once for each row, and
        it found other rows each time: a whole backlog was leased at once."""
        Webhook = self.env["fusion.billing.webhook"]
        Webhook.search([]).unlink()
        self.env.flush_all()
        self.env.cr.execute("ANALYZE fusion_billing_webhook")  # it takes it for empty
        Webhook._enqueue_all([(self.service, "webhook.test", {})] * 20)
        self.assertEqual(len(Webhook._claim(Webhook._receivers_now())), 4)
