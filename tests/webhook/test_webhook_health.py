import itertools
import threading
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ...engine.webhook import transport
from ...models.webhook.sender import Outcome
from .webhook_case import SECRET, TIMEOUT, URL, WebhookCase


@tagged("post_install", "-at_install")
class TestWebhookHealth(WebhookCase):
    """A receiver in trouble is left alone, and the others are not held up."""

    def test_one_failing_receiver_does_not_stop_another(self):
        other = self._create_service(
            code="other-app", webhook_url=URL + "2", webhook_secret=SECRET
        )
        failing = self._enqueue()
        healthy = self.env["fusion.billing.webhook"]._enqueue(other, "webhook.test", {})

        def post(_sender, url, *_args):
            if url.endswith("2"):
                return self._answer(200)
            raise transport.TransportError("timeout", "too slow")

        self._run_cron(post)
        self.assertEqual((failing.state, healthy.state), ("pending", "sent"))

    def test_a_mute_receiver_holds_up_nobody_when_the_time_of_the_job_is_over(self):
        other = self._create_service(
            code="other-app", webhook_url=URL + "2", webhook_secret=SECRET
        )
        self._enqueue()
        Webhook = self.env["fusion.billing.webhook"]
        events = Webhook._enqueue_all([(other, "webhook.test", {})] * 20)
        told, all_told = [], threading.Event()
        waited = []

        def post(_sender, url, *_args):
            if url == URL:  # answers when the others have been told
                waited.append(all_told.wait(30))
                raise TIMEOUT
            told.append(url)
            if len(told) == len(events):
                all_told.set()
            return self._answer(200)

        rounds = itertools.count()
        with patch.object(
            self.env.registry["ir.cron"],
            "_commit_progress",
            lambda *_args, **_values: 10 if next(rounds) == 0 else 0,
        ):
            self._run_cron(post)
        self.assertEqual(waited, [True])
        self.assertEqual({*events.mapped("state")}, {"sent"})

    def test_a_receiver_that_is_down_is_left_alone_for_a_while(self):
        events = self.env["fusion.billing.webhook"]
        for _ in range(20):
            events |= self._enqueue()
        events.next_attempt_at = datetime(2026, 1, 10)
        with freeze_time("2026-01-10 12:00:00"):
            calls = self._deliver(*[TIMEOUT] * 20)
        # four at a time: the fifth failure ends it, while others are under way
        self.assertLessEqual(5, len(calls))
        self.assertLessEqual(len(calls), 8)
        tried = events.filtered("attempts")
        self.assertEqual(len(tried), len(calls))
        rest = events - tried
        self.assertEqual({*rest.mapped("next_attempt_at")}, {datetime(2026, 1, 10)})
        self.assertFalse(any(events.mapped("lease_token")))
        paused = self.service.webhook_paused_until
        # those that were under way are no reason for a longer pause
        self.assertEqual(paused, datetime(2026, 1, 10, 12, 1))
        self.assertEqual(self.service.webhook_failing_since, datetime(2026, 1, 10, 12))
        with freeze_time(paused - timedelta(seconds=1)):
            self.assertFalse(self._deliver())
        with freeze_time(paused):
            self.assertEqual(len(self._deliver(TIMEOUT)), 1)
        pause = self.service.webhook_paused_until - paused
        self.assertEqual(pause, timedelta(minutes=2))
        with freeze_time(self.service.webhook_paused_until):
            self.assertEqual(self.service.webhook_health, "failing")
            due = events.filtered(lambda e: e.next_attempt_at <= datetime.now())
            calls = self._deliver(*[self._answer(200)] * 20)
        self.assertEqual(len(calls), len(due))
        self.assertEqual(self.service.webhook_health, "healthy")
        self.assertEqual(self.service.webhook_failures, 0)

    def test_gone_disables_the_receiver(self):
        first, second = self._enqueue(), self._enqueue()
        self.service.user_id = self.env.user
        calls = self._deliver(self._answer(410), self._answer(410))
        self.assertLessEqual(len(calls), 2)
        self.assertEqual(self.service.webhook_health, "disabled")
        self.assertIn("410", self.service.webhook_disabled_reason)
        self.assertEqual(len(self.service.activity_ids), 1)
        events = first | second
        events.next_attempt_at = datetime(2026, 1, 1)
        self.assertFalse(self._deliver())
        self.service.action_enable_webhooks()
        self._deliver(self._answer(200), self._answer(200))
        self.assertEqual(events.mapped("state"), ["sent", "sent"])

    def test_days_of_failure_disable_the_receiver(self):
        webhook = self._enqueue()
        for day, health in ((10, "failing"), (14, "failing"), (15, "disabled")):
            webhook.next_attempt_at = datetime(2026, 1, 1)
            with freeze_time(datetime(2026, 1, day, 12)):
                self._deliver(self._answer(404))
            with self.subTest(day=day):
                self.assertEqual(self.service.webhook_health, health)
                webhook.state = "pending"

    def test_another_address_begins_anew(self):
        webhook = self._enqueue()
        self._deliver(self._answer(410))
        self.assertEqual(self.service.webhook_health, "disabled")
        self.service.webhook_url = URL + "2"
        self.assertEqual(self.service.webhook_health, "healthy")
        self.assertFalse(self.service.webhook_disabled_reason)
        webhook.next_attempt_at = datetime(2026, 1, 1)
        [(url, _body, _headers)] = self._deliver(self._answer(200))
        self.assertEqual(url, URL + "2")

    def test_what_another_address_says_late_counts_for_nothing(self):
        webhook = self._enqueue()
        Webhook = self.env["fusion.billing.webhook"]
        [claim] = Webhook._claim(Webhook._receivers_now())
        self.service.webhook_url = URL + "2"
        Webhook._record_once([(claim, Outcome(410, "HTTP 410"))])
        self.assertEqual((webhook.attempts, webhook.last_status), (1, 410))
        self.assertEqual(self.service.webhook_health, "healthy")
        self.assertFalse(self.service.webhook_failing_since)

    def test_enabling_offers_to_send_again_what_was_given_up(self):
        webhook = self._enqueue()
        self._deliver(self._answer(410))
        webhook.write({"state": "dead", "next_attempt_at": False})
        action = self.service.action_enable_webhooks()
        Wizard = self.env[action["res_model"]].with_context(**action["context"])
        wizard = Wizard.create({})
        self.assertEqual(wizard.event_count, 1)
        wizard.action_replay()
        self._deliver(self._answer(200))
        self.assertEqual(webhook.state, "sent")
