"""A bounded queue of events, which hands out batches when they are due."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .errors import BufferClosedError, BufferFullError
from .events import UsageEvent


@dataclass(frozen=True)
class Queued:
    event: UsageEvent
    size: int  # bytes of its JSON
    since: float  # monotonic seconds


class EventQueue:
    """First in, first out. An event stays in it until it is resolved, so that nothing
    is lost between taking a batch and knowing what became of it.

    :param capacity: events it holds at most
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.reset()

    def reset(self) -> None:
        """Forget everything, locks too."""
        self._items: deque[Queued] = deque()
        self._bytes = 0
        self._added = 0  # of all times
        self._resolved = 0
        self._wanted = 0  # up to this one, events are to be sent now
        self._wishes = 0
        self._due = (1, 1)  # events and bytes that the sender waits for
        self._closed = False
        self._stopped = False
        self._changed = threading.Condition(threading.Lock())

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_full(self) -> bool:
        return len(self._items) >= self._capacity

    @property
    def wishes(self) -> int:
        """How often everything was wanted at once."""
        return self._wishes

    @property
    def stopped(self) -> bool:
        return self._stopped

    # -- those who add ---------------------------------------------------------

    def add(self, event: UsageEvent, size: int, timeout: float | None) -> None:
        """Take an event; wait so many seconds, or for ever, while there is no room.

        :raises BufferFullError: there was no room in time
        :raises BufferClosedError:
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or len(self._items) < self._capacity, timeout
            )
            if self._closed:
                raise BufferClosedError("the buffer is closed")
            if len(self._items) >= self._capacity:
                raise BufferFullError(f"the buffer holds {self._capacity} events")
            self._items.append(Queued(event, size, time.monotonic()))
            self._bytes += size
            self._added += 1
            count = len(self._items)
            # to wake the sender at each event would slow those who add
            if count == 1 or count >= self._due[0] or self._bytes >= self._due[1]:
                self._changed.notify_all()

    def want_all(self) -> int:
        """Have everything sent now; returns the number of the last event."""
        with self._changed:
            self._wanted = self._added
            self._wishes += 1
            self._changed.notify_all()
            return self._added

    def wait_resolved(
        self, number: int, timeout: float | None, give_up: Callable[[], bool]
    ) -> bool:
        """Wait until events up to a number are resolved; False when they are not."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._resolved >= number or self._stopped or give_up(), timeout
            )
            return self._resolved >= number

    def is_resolved(self, number: int) -> bool:
        return self._resolved >= number

    def notify(self) -> None:
        """Have those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Take nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stop(self) -> list[UsageEvent]:
        """Hand out nothing more; returns what is left."""
        with self._changed:
            self._closed = self._stopped = True
            left = [item.event for item in self._items]
            self._items.clear()
            self._bytes = 0
            self._changed.notify_all()
            return left

    # -- the one who sends -----------------------------------------------------

    def wait_due(self, max_events: int, max_bytes: int, max_age: float) -> None:
        """Wait until a batch is full, its oldest event is old, somebody wants it, or
        the queue is stopped.
        """
        with self._changed:
            self._due = (max_events, max_bytes)
            while not self._stopped:
                wait = None
                if self._items:
                    wait = self._items[0].since + max_age - time.monotonic()
                    full = len(self._items) >= max_events or self._bytes >= max_bytes
                    if full or wait <= 0 or self._resolved < self._wanted:
                        return
                self._changed.wait(wait)

    def batch(self, max_events: int, max_bytes: int) -> list[UsageEvent]:
        """The oldest events, which stay where they are; one at least, if any."""
        with self._changed:
            return list(self._first(max_events, max_bytes))

    def _first(self, max_events: int, max_bytes: int) -> Iterator[UsageEvent]:
        total = 0
        for index, item in enumerate(self._items):
            total += item.size
            if index >= max_events or (index and total > max_bytes):
                return
            yield item.event

    def resolve(self, count: int) -> None:
        """The oldest ``count`` events are dealt with."""
        with self._changed:
            if self._stopped:  # they were handed back already
                return
            for _ in range(count):
                self._bytes -= self._items.popleft().size
            self._resolved += count
            self._changed.notify_all()

    def pause(self, seconds: float, since: int | None) -> None:
        """Wait so long; shorter when the queue is stopped, or when somebody wanted
        everything after ``since``.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or since not in (None, self._wishes), seconds
            )
