"""What is sent again, when, and what the caller is told in the end."""

import socket
import threading
import time
import unittest
from email.utils import formatdate

from fusion_billing import (
    Client,
    CredentialsError,
    NotFoundError,
    RequestError,
    RetryLaterError,
    RetryPolicy,
    SetupError,
    UsageEvent,
)

from . import fake_api
from .fake_api import FAST, FakeApiCase, error, event, reset, status


class TestWaits(unittest.TestCase):
    policy = RetryPolicy(attempts=4, first=0.5, longest=3.0, total=10.0)

    def test_doubled_and_varied(self):
        for attempt, shortest, longest in (
            (1, 0.25, 0.5),
            (2, 0.5, 1.0),
            (3, 1.0, 2.0),
            (4, 1.5, 3.0),  # 4.0 is more than the longest
            (5000, 1.5, 3.0),
        ):
            with self.subTest(attempt):
                delay = self.policy.delay
                self.assertEqual(delay(attempt, chance=lambda: 0.0), shortest)
                self.assertEqual(delay(attempt, chance=lambda: 1.0), longest)

    def test_not_before_the_server_asks(self):
        self.assertEqual(self.policy.delay(1, 60.0, chance=lambda: 0.0), 60.0)
        self.assertAlmostEqual(self.policy.delay(1, 60.0, chance=lambda: 1.0), 66.0)
        self.assertEqual(self.policy.delay(4, 1.0, chance=lambda: 1.0), 3.0)

    def test_ends(self):
        self.assertTrue(self.policy.allows(3, 9.0, 1.0))
        self.assertFalse(self.policy.allows(4, 0.0, 0.0))
        self.assertFalse(self.policy.allows(1, 9.5, 0.6))


class TestRepeated(FakeApiCase):
    def test_each_reason(self):
        for name, act in {
            "429": error(429, "rate_limited", Retry_After="0"),
            "503": error(503, "busy", Retry_After="0"),
            "503 of a proxy": status(503, b"<html>"),
            "502": status(502),
            "504": status(504),
            "cut off on the way": error(400, "incomplete_body"),
            "reset": reset,
            "answer reset": fake_api.work_and_reset,
            "answer cut": fake_api.work_and_cut,
        }.items():
            with self.subTest(name):
                self.api.script.extend([act, act])
                result = self.client.record_usage([event(), event(1)])
                self.assertEqual(result.accepted + result.duplicates, 2)
                self.assertEqual([*self.api.stored], ["event-0", "event-1"])
                self.assertFalse(self.api.script)
                self.api.stored.clear()

    def test_the_same_event_each_time(self):
        """A key that was made here is made before the first attempt."""
        self.api.script.extend([fake_api.work_and_reset, fake_api.work_and_reset])
        one = UsageEvent("sub-1", "calls", 1, "2026-01-10", "2026-01-10")
        result = self.client.record_usage([one])
        self.assertEqual((result.accepted, result.duplicates), (0, 1))
        self.assertEqual(len(self.api.stored), 1)
        first, second, third = (body for _, _, body in self.api.requests)
        self.assertEqual(first, second)
        self.assertEqual(first, third)

    def test_no_answer_in_time(self):
        client = self.connect(timeout=0.2)
        self.api.script.append(fake_api.work_and_hang(1.0))
        self.assertEqual(client.record_usage([event()]).duplicates, 1)

    def test_slow_is_not_late(self):
        self.api.script.append(lambda handler: (time.sleep(0.3), handler.serve()))
        self.assertEqual(self.client.record_usage([event()]).accepted, 1)

    def test_server_comes_back_later(self):
        port = self.api.server_address[1]
        self.api.shutdown()
        self.api.server_close()
        timer = threading.Timer(0.3, lambda: setattr(self, "api", self.start(port)))
        timer.start()
        client = self.connect(retry=RetryPolicy(attempts=50, first=0.05, longest=0.1))
        self.assertEqual(client.record_usage([event()]).accepted, 1)
        timer.join()

    def test_waits_as_long_as_asked(self):
        waits = []
        self.client._transport.sleep = waits.append
        soon = formatdate(time.time() + 3, usegmt=True)
        self.api.script.extend(
            [
                error(429, "rate_limited", Retry_After="7"),
                error(503, "busy", Retry_After=soon),
                error(503, "busy", Retry_After="nonsense"),
            ]
        )
        self.client.record_usage([event()])
        self.assertTrue(7.0 <= waits[0] <= 7.7, waits)
        self.assertTrue(1.5 <= waits[1] <= 3.3, waits)
        self.assertLess(waits[2], 0.1)

    def test_longer_than_there_is_time(self):
        self.api.script.append(error(429, "rate_limited", Retry_After="3600"))
        with self.assertRaises(RetryLaterError) as caught:
            self.client.record_usage([event()])
        self.assertEqual(caught.exception.retry_after, 3600.0)
        self.assertEqual(caught.exception.attempts, 1)
        self.assertFalse(caught.exception.maybe_done)

    def test_gives_up(self):
        self.api.script.extend([error(503, "busy")] * FAST.attempts)
        with self.assertRaises(RetryLaterError) as caught:
            self.client.record_usage([event()])
        self.assertEqual(caught.exception.attempts, FAST.attempts)
        self.assertEqual(len(self.api.requests), FAST.attempts)

    def test_nobody_there(self):
        with socket.socket() as taken:  # bound, and nobody listens
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            client = Client(url, "k", retry=FAST)
            with self.assertRaises(RetryLaterError) as caught:
                client.health()
        self.assertFalse(caught.exception.maybe_done)
        self.assertEqual(caught.exception.attempts, FAST.attempts)


class TestUnsafe(FakeApiCase):
    """A subscription without an id of the app would be made twice."""

    ANSWER = {
        "subscription_id": 12,
        "subscription_state": "3_progress",
        "external_id": None,
    }

    def setUp(self):
        super().setUp()
        self.api.answers["POST /subscriptions"] = self.ANSWER

    def test_maybe_done_is_not_repeated(self):
        for act in (reset, status(502), status(503, b"<html>"), status(504)):
            self.api.requests.clear()
            self.api.script.append(act)
            with self.assertRaises(RetryLaterError) as caught:
                self.client.create_subscription("acc-1", 3)
            self.assertTrue(caught.exception.maybe_done)
            self.assertEqual(len(self.api.requests), 1)

    def test_certainly_not_done_is_repeated(self):
        self.api.script.extend(
            [
                error(503, "busy"),
                error(429, "rate_limited"),
                error(400, "incomplete_body"),
            ]
        )
        made = self.client.create_subscription("acc-1", 3)
        self.assertEqual(made.subscription_id, 12)

    def test_with_an_id_it_is_repeated(self):
        self.api.script.extend([reset, status(502)])
        made = self.client.create_subscription("acc-1", 3, external_id="sub-1")
        self.assertEqual(made.subscription_id, 12)


class TestNotRepeated(FakeApiCase):
    def test_by_what_is_to_be_done(self):
        for act, kind, code in (
            (error(400, "invalid_events"), RequestError, "invalid_events"),
            (error(413, "body_too_large"), RequestError, "body_too_large"),
            (status(413, b"<html>"), RequestError, "body_too_large"),
            (error(404, "unknown_subscription"), NotFoundError, "unknown_subscription"),
            (error(401, "unauthorized"), CredentialsError, "unauthorized"),
            (error(403, "insufficient_scope"), CredentialsError, "insufficient_scope"),
            (error(404, "unknown_database"), SetupError, "unknown_database"),
            (error(404, "not_found"), SetupError, "not_found"),
            (status(404, b"<html>"), SetupError, None),
            (status(403, b"<html>"), SetupError, None),
            (status(302, b"", Location="/web/login"), SetupError, None),
            (status(200, b"<html>"), SetupError, None),
            (status(200, b"[]"), SetupError, None),
            (status(200, {"status": "ok"}), SetupError, None),
            (error(500, "internal_error"), RetryLaterError, "internal_error"),
            (error(503, "pdf_unavailable"), RetryLaterError, "pdf_unavailable"),
        ):
            with self.subTest(f"{kind.__name__} {code}"):
                self.api.requests.clear()
                self.api.script.append(act)
                with self.assertRaises(kind) as caught:
                    self.client.record_usage([event()])
                self.assertIs(type(caught.exception), kind)
                self.assertEqual(caught.exception.code, code)
                self.assertEqual(len(self.api.requests), 1)

    def test_wrong_protocol(self):
        client = self.connect()
        client._transport._url = client._transport._url.replace("http:", "https:")
        with self.assertRaises(SetupError):
            client.health()

    def test_key_is_not_told(self):
        secret = "fcb_very-secret"
        client = self.connect(key=secret)
        with self.assertRaises(CredentialsError) as caught:
            client.catalog()
        for text in (repr(client), str(caught.exception), repr(caught.exception)):
            self.assertNotIn(secret, text)
        with self.assertRaises(ValueError) as refused:
            Client("https://example.com", f"{secret}\n")
        self.assertNotIn(secret, str(refused.exception))


if __name__ == "__main__":
    unittest.main()
