"""Taking turns inside one process, so that no party is served before all the others.

Of plain locks: nothing here reads a clock or knows what the parties are.
"""

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Hashable, Iterator


class Crowded(Exception):
    """The party has to come again later."""


class Turns:
    """A few places, and a queue of each party before them.

    A place that becomes free goes to the parties that wait in turn, however many
    requests each of them has in its queue.

    :param places: how many go on at once
    :param each: how many of one party
    """

    def __init__(self, places: int, each: int):
        self._places = places
        self._each = each
        self._lock = threading.Lock()
        self._seated: Counter = Counter()
        # in the order in which the parties are next
        self._queues: dict[Hashable, deque] = {}

    @contextlib.contextmanager
    def turn(self, party: Hashable, patience: float) -> Iterator[None]:
        """Wait for a place, and keep it.

        :param patience: seconds to wait at most
        :raises Crowded: that was not enough
        """
        self._sit_down(party, patience)
        try:
            yield
        finally:
            with self._lock:
                self._seated[party] -= 1
                self._seated += Counter()  # drops the parties that have 0
                self._call_next()

    def _sit_down(self, party, patience):
        with self._lock:
            ticket = threading.Lock()
            ticket.acquire()
            self._queues.setdefault(party, deque()).append(ticket)
            self._call_next()
        if ticket.acquire(timeout=patience):
            return
        with self._lock:
            queue = self._queues.get(party, ())
            if ticket in queue:  # else it got a place just now, after all
                queue.remove(ticket)
                if not queue:
                    del self._queues[party]
                raise Crowded

    def _call_next(self):
        """Give free places to those who wait; then a party's turn comes last again."""
        waiting = [p for p in self._queues if self._seated[p] < self._each]
        while waiting and self._seated.total() < self._places:
            party = waiting.pop(0)
            queue = self._queues.pop(party)
            self._seated[party] += 1
            queue.popleft().release()
            if queue:
                self._queues[party] = queue
                if self._seated[party] < self._each:
                    waiting.append(party)


class Share:
    """How much each party may hold at once.

    :param limit: the most of it; a single thing that is larger never goes in
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._lock = threading.Lock()
        self._held: Counter = Counter()

    @contextlib.contextmanager
    def hold(self, party: Hashable, amount: int = 1) -> Iterator[None]:
        """Hold so much; nobody waits for it.

        :raises Crowded: the party would hold more than its share
        """
        with self._lock:
            if self._held[party] + amount > self._limit:
                raise Crowded
            self._held[party] += amount
        try:
            yield
        finally:
            with self._lock:
                self._held[party] -= amount
                self._held += Counter()
