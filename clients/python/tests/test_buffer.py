"""The buffer: batches, back-pressure, refusals, trouble."""

import threading
import time

from fusion_billing import (
    BufferClosedError,
    BufferFullError,
    CredentialsError,
    FlushTimeoutError,
    RetryLaterError,
    UndeliveredError,
    UsageBuffer,
)

from . import fake_api
from .buffer_case import PATIENCE, BufferCase
from .fake_api import FAST, error, event, reset, status


class TestBatches(BufferCase):
    def test_by_count(self):
        buffer = self.buffer(max_events=3)
        for number in range(7):
            buffer.add(event(number))
        self.wait_for(lambda: len(buffer) == 1)
        self.assertEqual(self.api.batches, [3, 3])
        buffer.close()
        self.assertEqual(self.stored(), list(range(7)))

    def test_by_bytes(self):
        # an event is 180 to 200 bytes: two are less than 500, three are more
        buffer = self.buffer(max_bytes=500)
        for number in range(5):
            buffer.add(event(number))
        self.wait_for(lambda: len(self.api.stored) >= 4)
        buffer.close()
        self.assertEqual(self.api.batches, [2, 2, 1])

    def test_bytes_that_were_sent_do_not_count(self):
        buffer = self.buffer(max_bytes=500)
        for number in range(4):
            buffer.add(event(number))
            if number == 1:
                buffer.flush()
        time.sleep(0.1)
        self.assertEqual(self.api.batches, [2])
        buffer.close()

    def test_larger_than_a_batch(self):
        with self.buffer(max_bytes=10) as buffer:
            buffer.add(event(1))
        self.assertEqual(self.api.batches, [1])

    def test_by_age(self):
        buffer = self.buffer(max_age=0.3)
        begun = time.monotonic()
        buffer.add(event(1))
        buffer.add(event(2))
        self.wait_for(lambda: len(self.api.stored) == 2)
        self.assertGreaterEqual(time.monotonic() - begun, 0.29)
        self.assertEqual(self.api.batches, [2])

    def test_flush(self):
        buffer = self.buffer()
        buffer.add(event(1))
        buffer.flush()
        self.assertEqual(self.stored(), [1])
        self.assertEqual(len(buffer), 0)
        buffer.flush()  # nothing to do
        self.assertEqual(self.api.batches, [1])

    def test_many_threads(self):
        buffer = self.buffer(max_events=100, max_queue=200)

        def add(part):
            for number in range(part * 500, part * 500 + 500):
                buffer.add(event(number))

        threads = [threading.Thread(target=add, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        buffer.close()
        self.assertEqual(self.stored(), list(range(3000)))
        self.assertEqual(buffer.stats.accepted, 3000)
        self.assertEqual(sum(self.api.batches), 3000)

    def test_without_a_thread(self):
        buffer = self.buffer(background=False, max_events=2, max_queue=3)
        threads = threading.active_count()
        for number in range(3):
            buffer.add(event(number))
        self.assertEqual(self.api.batches, [])
        buffer.add(event(3))  # full: this makes room
        self.assertEqual(self.api.batches, [2, 1])
        buffer.close()
        self.assertEqual(self.stored(), [0, 1, 2, 3])
        self.assertLessEqual(threading.active_count(), threads + 1)  # the server's


class TestFull(BufferCase):
    def test_raises(self):
        self.api.script.extend([reset] * 1000)
        buffer = self.buffer(max_events=2, max_queue=2, when_full="raise")
        buffer.add(event(0))
        buffer.add(event(1))
        with self.assertRaises(BufferFullError):
            buffer.add(event(2))
        self.api.script.clear()
        buffer.flush()
        buffer.add(event(2))
        buffer.close()
        self.assertEqual(self.stored(), [0, 1, 2])

    def test_blocks(self):
        self.api.script.append(fake_api.work_and_hang(0.3))
        buffer = self.buffer(max_events=2, max_queue=2)
        begun = time.monotonic()
        for number in range(6):
            buffer.add(event(number))
        self.assertGreaterEqual(time.monotonic() - begun, 0.25)
        buffer.close()
        self.assertEqual(self.stored(), list(range(6)))

    def test_closing_wakes_those_who_wait(self):
        self.api.script.extend([reset] * 1000)
        buffer = self.buffer(max_events=1, max_queue=1)
        buffer.add(event(0))
        found = []

        def add():
            try:
                buffer.add(event(1))
            except BufferClosedError as caught:
                found.append(caught)

        thread = threading.Thread(target=add)
        thread.start()
        time.sleep(0.05)
        with self.assertRaises(UndeliveredError):
            buffer.close(0.1)
        thread.join(PATIENCE)
        self.assertEqual(len(found), 1)


class TestRefused(BufferCase):
    def test_some_of_a_batch(self):
        self.api.refuse = {"event-1": "unknown_metric", "event-4": "invalid_quantity"}
        with self.buffer() as buffer:
            for number in range(6):
                buffer.add(event(number))
        self.assertEqual(self.stored(), [0, 2, 3, 5])
        self.assertEqual(
            [(r.event.idempotency_key, r.code) for r in self.refused],
            [("event-1", "unknown_metric"), ("event-4", "invalid_quantity")],
        )
        self.assertEqual((buffer.stats.accepted, buffer.stats.refused), (4, 2))

    def test_answer_lost_before_refusals(self):
        """What was stored is a duplicate then; what was refused is refused again."""
        self.api.refuse = {"event-1": "unknown_metric"}
        self.api.script.append(fake_api.work_and_reset)
        with self.buffer() as buffer:
            for number in range(3):
                buffer.add(event(number))
        self.assertEqual(self.stored(), [0, 2])
        self.assertEqual(len(self.refused), 1)
        self.assertEqual((buffer.stats.accepted, buffer.stats.duplicates), (0, 2))

    def test_too_many_for_the_server(self):
        self.api.max_events = 3
        with self.buffer() as buffer:
            for number in range(20):
                buffer.add(event(number))
        self.assertEqual(self.stored(), list(range(20)))
        # 20 and 10 and 5 were too many; then no more attempts with more than 2
        self.assertEqual(self.api.batches, [20, 10, 5, *[2] * 10])
        self.assertEqual(self.refused, [])

    def test_whole_batch_for_one_event(self):
        """A server that names no index: the bad one is found by halving."""

        def judge(handler):
            bad = any(e["idempotency_key"] == "event-5" for e in handler.body["events"])
            act = error(400, "invalid_event") if bad else fake_api.Handler.serve
            act(handler)

        self.api.script.extend([judge] * 100)
        with self.buffer() as buffer:
            for number in range(8):
                buffer.add(event(number))
        self.assertEqual(self.stored(), [0, 1, 2, 3, 4, 6, 7])
        self.assertEqual([r.code for r in self.refused], ["invalid_event"])

    def test_callback_fails(self):
        def fail(_refusal):
            raise RuntimeError("the app's fault")

        self.api.refuse = {"event-0": "unknown_metric"}
        buffer = UsageBuffer(self.client, fail, max_age=60.0)
        with self.assertLogs("fusion_billing", "ERROR") as logs, buffer:
            buffer.add(event(0))
            buffer.add(event(1))
        self.assertIn("event-0", logs.output[0])
        self.assertEqual(self.stored(), [1])

    def test_callback_adds(self):
        """E.g. the event mended. It must not wait for itself."""
        self.api.refuse = {"event-0": "unknown_metric"}
        buffer = UsageBuffer(
            self.client, lambda _r: buffer.add(event(7)), max_events=1, max_queue=2
        )
        buffer.add(event(0))
        self.wait_for(lambda: self.stored() == [7])
        buffer.close()

    def test_callback_adds_to_a_full_buffer(self):
        """It is the one who makes room: to wait would be for ever."""
        found = []

        def add(_refusal):
            try:
                buffer.add(event(7))
            except BufferFullError as caught:
                found.append(caught)

        self.api.refuse = {"event-0": "unknown_metric"}
        buffer = UsageBuffer(self.client, add, max_events=1, max_queue=1)
        buffer.add(event(0))
        buffer.flush(PATIENCE)
        self.assertEqual(len(found), 1)
        buffer.close()


class TestTrouble(BufferCase):
    def test_server_in_trouble(self):
        acts = [
            *(error(503, "busy", Retry_After="0"), reset, status(502)),
            *(error(429, "rate_limited", Retry_After="0"), status(504)),
            *(error(500, "internal_error"), fake_api.work_and_cut),
        ]
        self.api.script.extend(acts)
        with self.assertLogs("fusion_billing", "WARNING"), self.buffer() as buffer:
            for number in range(5):
                buffer.add(event(number))
        self.assertEqual(self.stored(), list(range(5)))
        self.assertEqual(len(self.troubles), len(acts))
        self.assertEqual(self.refused, [])
        self.assertIsNone(buffer.trouble)

    def test_server_away_and_back(self):
        port = self.api.server_address[1]
        buffer = self.buffer(max_events=2)
        buffer.add(event(0))
        buffer.flush()
        stored = self.api.stored
        self.api.shutdown()
        self.api.server_close()
        self.client.close()
        for number in range(1, 9):
            buffer.add(event(number))
        with self.assertRaises(FlushTimeoutError) as caught:
            buffer.flush(0.3)
        self.assertIsInstance(caught.exception.__cause__, RetryLaterError)
        self.assertEqual(len(buffer), 8)
        self.api = self.start(port)
        self.api.stored = stored
        buffer.close()
        self.assertEqual(self.stored(), list(range(9)))

    def test_wrong_key(self):
        """Events wait until somebody sees to it; flush says so at once."""
        buffer = self.buffer(self.connect(key="fcb_wrong"))
        buffer.add(event(0))
        for _ in range(2):
            with self.assertRaises(CredentialsError):
                buffer.flush(PATIENCE)
        self.assertEqual(len(buffer), 1)
        with self.assertRaises(UndeliveredError) as caught:
            buffer.close()
        self.assertEqual(
            [e.idempotency_key for e in caught.exception.events], ["event-0"]
        )
        self.assertIsInstance(caught.exception.__cause__, CredentialsError)
        with self.buffer() as another:
            for one in caught.exception.events:
                another.add(one)
        self.assertEqual(self.stored(), [0])

    def test_waits_as_long_as_asked(self):
        self.api.script.append(error(429, "rate_limited", Retry_After="1"))
        buffer = self.buffer(max_events=1)
        begun = time.monotonic()
        buffer.add(event(0))
        self.wait_for(lambda: self.troubles)
        buffer.flush()  # waits, too
        self.assertGreaterEqual(time.monotonic() - begun, 1.0)

    def test_flush_cuts_the_wait_short(self):
        slow = type(FAST)(first=30.0, longest=60.0)
        self.api.script.append(reset)
        buffer = self.buffer(retry=slow, max_events=1)
        buffer.add(event(0))
        self.wait_for(lambda: self.troubles)
        buffer.flush(PATIENCE)
        self.assertEqual(self.stored(), [0])

    def test_bug_in_the_client(self):
        class Broken:
            calls = 0

            def record_usage(inner, events, *, retry=None):
                inner.calls += 1
                if inner.calls == 1:
                    raise KeyError("a bug")
                return self.client.record_usage(events, retry=retry)

        with self.assertLogs("fusion_billing", "ERROR"):
            buffer = self.buffer(Broken(), max_events=1)
            buffer.add(event(0))
            self.wait_for(lambda: self.stored() == [0])
            buffer.close()

    def test_results_missing(self):
        body = {"status": "ok", "accepted": 2, "duplicates": 0, "results": []}
        self.api.script.append(status(200, body))
        buffer = self.buffer(max_events=2)
        buffer.add(event(0))
        buffer.add(event(1))
        self.wait_for(lambda: len(self.api.stored) == 2)
        self.assertEqual(len(self.troubles), 1)
