"""Sends to many receivers at once, none of which holds up another.

Threads and queues only: what is sent, how, and what is noted of it is the caller's.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from typing import Any

THREADS = 32  # requests under way at once
PER_LANE = 4  # requests under way at once to one receiver
# A receiver that answers within FAST_S is given more jobs in advance, up to MAX_AHEAD.
FAST_S = 0.5
MAX_AHEAD = 256
MAX_AHEAD_OF_ALL = 4096  # shared by them, so that memory is bounded


class _Lane:
    """The jobs of one receiver."""

    def __init__(self):
        self.waiting = deque()
        self.under_way = 0
        self.untaken = 0  # results
        self.ahead = PER_LANE


class Dispatcher:
    """A pool of threads that serves its lanes in turn, a few jobs at a time.

    For one owner: all methods are called by the same thread. To be closed in the end,
    as by ``with``.

    :param send: called in one of the threads with a job; what it returns or raises is
        the result. It must end in a bounded time
    :param is_good: called with a result; a lane is given more in advance while its
        results are good and quick
    :param threads: how many jobs are under way at most
    :param per_lane: how many of one lane
    :param clock: monotonic seconds
    """

    def __init__(
        self,
        send: Callable,
        *,
        is_good: Callable = bool,
        threads: int = THREADS,
        per_lane: int = PER_LANE,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._send, self._is_good, self._clock = send, is_good, clock
        self._max_threads, self._per_lane = threads, per_lane
        self._lanes = defaultdict(_Lane)
        self._ready = deque()  # lanes that have something to do, in turn
        self._results = deque()
        self._lock = threading.Lock()
        self._has_work = threading.Condition(self._lock)
        self._has_results = threading.Condition(self._lock)
        self._threads, self._idle, self._open = [], 0, True

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    @property
    def is_busy(self) -> bool:
        """Whether there are jobs, or results that were not taken."""
        with self._lock:
            lanes = self._lanes.values()
            return bool(self._results) or any(x.waiting or x.under_way for x in lanes)

    @property
    def is_held_up(self) -> bool:
        """Whether there is something for a receiver that has not been quick."""
        with self._lock:
            return any(self._is_slow(lane) for lane in self._lanes.values())

    def room(self, *, beside_slow: bool = False) -> dict[Hashable, int]:
        """How many more jobs each known lane takes now; a new lane takes ``PER_LANE``.

        :param beside_slow: slow lanes take nothing more: the caller only waits for what
            they have under way, and serves the others meanwhile
        """
        with self._lock:
            return {
                key: 0 if beside_slow and self._is_slow(lane) else self._room_of(lane)
                for key, lane in self._lanes.items()
            }

    def _is_slow(self, lane):
        return bool(lane.waiting or lane.under_way) and lane.ahead <= self._per_lane

    def _room_of(self, lane):
        share = max(self._per_lane, MAX_AHEAD_OF_ALL // len(self._lanes))
        # Results that were not taken yet count, too: they may be failures.
        held = len(lane.waiting) + lane.under_way + lane.untaken
        return max(0, min(lane.ahead, share) - held)

    def offer(self, jobs: Iterable[tuple[Hashable, Any]]) -> None:
        """Take (lane, job) pairs; those of a lane are begun in this order."""
        with self._lock:
            for key, job in jobs:
                lane = self._lanes[key]
                lane.waiting.append(job)
                if len(lane.waiting) + lane.under_way <= self._per_lane:
                    self._ready.append(key)
            missing = len(self._ready) - self._idle
            for _ in range(min(missing, self._max_threads - len(self._threads))):
                thread = threading.Thread(target=self._work, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._has_work.notify_all()

    def results(self, timeout: float) -> list[tuple[Any, Any]]:
        """(job, what ``send`` returned or raised), all there are since the last call.

        :param timeout: seconds to wait for the first one
        """
        with self._lock:
            if not self._results:
                self._has_results.wait(timeout)
            found = []
            while self._results:
                key, job, result = self._results.popleft()
                self._lanes[key].untaken -= 1
                found.append((job, result))
            return found

    def withdraw(self, key: Hashable) -> list:
        """Take back the jobs of a lane that were not begun."""
        with self._lock:
            jobs = list(self._lanes[key].waiting)
            self._lanes[key].waiting.clear()
            return jobs

    def close(self) -> list:
        """Begin nothing more and wait for what is under way.

        :return: the jobs that were not begun; :meth:`results` has those that were
        """
        left = [job for key in [*self._lanes] for job in self.withdraw(key)]
        with self._lock:
            self._open = False
            self._has_work.notify_all()
        for thread in self._threads:
            thread.join()
        return left

    def _work(self):
        with self._lock:
            while True:
                while self._open and not self._ready:
                    self._idle += 1
                    self._has_work.wait()
                    self._idle -= 1
                if not self._ready:
                    return
                self._do_next(self._ready.popleft())

    def _do_next(self, key):
        """Do a job of a lane. The lock is held when called, and free while it runs."""
        lane = self._lanes[key]
        # Its jobs were withdrawn meanwhile, or others of it take all of its places.
        if not lane.waiting or lane.under_way == self._per_lane:
            return
        job = lane.waiting.popleft()
        lane.under_way += 1
        self._lock.release()
        started = self._clock()
        try:
            result = self._send(job)
            is_good = self._is_good(result) and self._clock() - started <= FAST_S
        except Exception as exc:
            result, is_good = exc, False
        self._lock.acquire()
        lane.under_way -= 1
        lane.ahead = min(MAX_AHEAD, lane.ahead * 2) if is_good else self._per_lane
        if lane.waiting:
            self._ready.append(key)
        lane.untaken += 1
        self._results.append((key, job, result))
        self._has_results.notify()
