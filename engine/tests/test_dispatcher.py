import threading
import time
import unittest
from collections import Counter

from ..webhook.dispatcher import (
    FAST_S,
    MAX_AHEAD,
    MAX_AHEAD_OF_ALL,
    PER_LANE,
    Dispatcher,
)

PATIENCE = 30


class TestDispatcher(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()  # what jobs of "slow" wait for
        self.lock = threading.Lock()
        self.under_way, self.most = Counter(), Counter()
        self.addCleanup(self.gate.set)

    def send(self, job):
        lane, number = job
        with self.lock:
            self.under_way[lane] += 1
            self.most[lane] = max(self.most[lane], self.under_way[lane])
        try:
            if lane == "slow":
                self.gate.wait(PATIENCE)
            if number == "broken":
                raise ValueError(lane)
            time.sleep(0.001)
            return number + 1
        finally:
            with self.lock:
                self.under_way[lane] -= 1

    def take(self, dispatcher, count):
        found, deadline = [], time.monotonic() + PATIENCE
        while len(found) < count and time.monotonic() < deadline:
            found += dispatcher.results(0.1)
        return found

    def wait_until_under_way(self):
        deadline = time.monotonic() + PATIENCE
        while self.under_way["slow"] < PER_LANE and time.monotonic() < deadline:
            time.sleep(0.001)

    @staticmethod
    def jobs(lane, count):
        return [(lane, (lane, number)) for number in range(count)]

    def test_each_job_has_its_result(self):
        with Dispatcher(self.send, threads=8) as dispatcher:
            dispatcher.offer(self.jobs("a", 50) + self.jobs("b", 50))
            found = self.take(dispatcher, 100)
            self.assertFalse(dispatcher.is_busy)
        self.assertEqual(len({job for job, _result in found}), 100)
        self.assertTrue(all(job[1] + 1 == result for job, result in found))

    def test_one_that_is_stuck_takes_no_more_than_its_share(self):
        with Dispatcher(self.send, threads=8) as dispatcher:
            dispatcher.offer(self.jobs("slow", 100) + self.jobs("b", 50))
            found = self.take(dispatcher, 50)
            self.wait_until_under_way()
            self.assertEqual({job[0] for job, _result in found}, {"b"})
            self.assertEqual(len(dispatcher.withdraw("slow")), 100 - PER_LANE)
            self.gate.set()
            self.assertEqual(len(self.take(dispatcher, PER_LANE)), PER_LANE)
        self.assertEqual(self.most, {"slow": PER_LANE, "b": PER_LANE})

    def test_offered_again_after_they_were_withdrawn(self):
        with Dispatcher(self.send, threads=8) as dispatcher:
            for _ in range(20):
                dispatcher.offer(self.jobs("slow", 10))
                dispatcher.withdraw("slow")
            dispatcher.offer(self.jobs("slow", 10))
            self.gate.set()
            deadline = time.monotonic() + PATIENCE
            while dispatcher.is_busy and time.monotonic() < deadline:
                dispatcher.results(0.05)
            self.assertFalse(dispatcher.is_busy)
        self.assertLessEqual(self.most["slow"], PER_LANE)

    def test_no_more_threads_than_allowed(self):
        with Dispatcher(self.send, threads=3) as dispatcher:
            for lane in "abcdef":
                dispatcher.offer(self.jobs(lane, 20))
            self.assertEqual(len(self.take(dispatcher, 120)), 120)
            self.assertEqual(len(dispatcher._threads), 3)

    def test_what_it_raises_is_its_result(self):
        with Dispatcher(self.send) as dispatcher:
            dispatcher.offer([("a", ("a", "broken")), ("a", ("a", 1))])
            results = dict(self.take(dispatcher, 2))
        self.assertIsInstance(results["a", "broken"], ValueError)
        self.assertEqual(results["a", 1], 2)

    def test_the_quick_are_given_more_in_advance(self):
        now = [0.0]
        with Dispatcher(self.send, clock=lambda: now[0]) as dispatcher:
            self.assertEqual(dispatcher.room(), {})
            dispatcher.offer(self.jobs("slow", PER_LANE))
            self.wait_until_under_way()
            self.assertEqual(dispatcher.room(), {"slow": 0})
            now[0] += FAST_S
            self.gate.set()
            self.take(dispatcher, PER_LANE)
            self.assertEqual(dispatcher.room(), {"slow": PER_LANE * 2**PER_LANE})
            dispatcher.offer(self.jobs("slow", 20))
            self.take(dispatcher, 20)
            self.assertEqual(dispatcher.room(), {"slow": MAX_AHEAD})
            self.gate.clear()
            dispatcher.offer(self.jobs("slow", PER_LANE))
            self.wait_until_under_way()
            now[0] += FAST_S + 0.1
            self.gate.set()
            self.take(dispatcher, PER_LANE)
            self.assertEqual(dispatcher.room(), {"slow": PER_LANE})

    def test_the_more_receivers_the_less_for_each_in_advance(self):
        with Dispatcher(self.send, clock=float) as dispatcher:
            for lane in range(1000):
                dispatcher.offer([(lane, (lane, number)) for number in range(4)])
            self.take(dispatcher, 4000)
            self.assertEqual({*dispatcher.room().values()}, {PER_LANE})
            self.assertEqual(MAX_AHEAD_OF_ALL // 1000, PER_LANE)

    def test_those_that_fail_are_not(self):
        with Dispatcher(self.send, is_good=lambda result: False) as dispatcher:
            dispatcher.offer(self.jobs("a", PER_LANE))
            while len(dispatcher._results) < PER_LANE:
                time.sleep(0.001)
            self.assertEqual(dispatcher.room(), {"a": 0})  # nobody has seen the results
            self.take(dispatcher, PER_LANE)
            self.assertEqual(dispatcher.room(), {"a": PER_LANE})

    def test_beside_one_that_holds_up(self):
        with Dispatcher(self.send) as dispatcher:
            dispatcher.offer(self.jobs("a", PER_LANE))
            self.take(dispatcher, PER_LANE)
            self.assertFalse(dispatcher.is_held_up)
            dispatcher.offer(self.jobs("slow", 1))
            self.assertTrue(dispatcher.is_held_up)
            self.assertEqual(dispatcher.room()["slow"], PER_LANE - 1)
            room = dispatcher.room(beside_slow=True)
            self.assertEqual(room, {"a": PER_LANE * 2**PER_LANE, "slow": 0})
            self.gate.set()

    def test_closing_waits_for_what_is_under_way(self):
        dispatcher = Dispatcher(self.send)
        dispatcher.offer(self.jobs("slow", 10))
        self.wait_until_under_way()
        threading.Timer(0.1, self.gate.set).start()
        left = dispatcher.close()
        self.assertEqual(left, [("slow", number) for number in range(PER_LANE, 10)])
        self.assertEqual(len(dispatcher.results(0)), PER_LANE)
        self.assertFalse(dispatcher.is_busy)
