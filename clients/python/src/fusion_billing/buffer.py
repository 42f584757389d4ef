"""Collects usage events and sends them in batches, in the background."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from .encode import json_bytes
from .errors import (
    FlushTimeoutError,
    FusionBillingError,
    Refusal,
    RequestError,
    RetryLaterError,
    SetupError,
    UndeliveredError,
    UsageRefusedError,
)
from .events import UsageEvent
from .queue import EventQueue
from .results import UsageResult
from .retry import ONCE, RetryPolicy

_logger = logging.getLogger("fusion_billing")
_TOO_LARGE = ("too_many_events", "body_too_large")


class Sender(Protocol):
    """What the buffer needs of a client."""

    def record_usage(
        self, events: list[UsageEvent], *, retry: RetryPolicy | None = None
    ) -> UsageResult: ...


@dataclass(frozen=True)
class Stats:
    """Counts since the buffer was made.

    :param accepted: newly stored; an event whose first answer was lost counts among
        the duplicates
    :param unallocated: among those, stored but billed by no invoice by itself
    """

    accepted: int = 0
    duplicates: int = 0
    unallocated: int = 0
    refused: int = 0


class UsageBuffer:
    """Events go in from any thread, and out in batches.

    No event is dropped in silence. It ends in one of three ways: the API has it; the
    API refuses it, and ``on_refused`` is called; or the buffer is closed before, and
    `close` raises `UndeliveredError` with the events. While the server is away, or the
    key is wrong, events wait, up to ``max_queue``.

    :param on_refused: called with each event that the API refuses, in the thread that
        sends; note it down and return. It must not call `flush` or `close`
    :param max_events, max_bytes: a batch is sent when it has so many
    :param max_age: seconds after which it is sent although it has less
    :param max_queue: events that wait at most
    :param when_full: ``block``: `add` waits for room; ``raise``: BufferFullError
    :param background: False: nothing is sent but by `flush`, in the thread that calls
        it, and by `add` where it has to make room
    :param retry: the waits between attempts; attempts are not limited
    :param on_trouble: called with each error that keeps events waiting
    :param exit_timeout: seconds that the end of the program may wait for a buffer that
        was not closed; what is left is given to ``on_refused`` as ``not_sent``
    """

    def __init__(
        self,
        client: Sender,
        on_refused: Callable[[Refusal], None],
        *,
        max_events: int = 1000,
        max_bytes: int = 1_000_000,
        max_age: float = 2.0,
        max_queue: int = 100_000,
        when_full: Literal["block", "raise"] = "block",
        background: bool = True,
        retry: RetryPolicy | None = None,
        on_trouble: Callable[[FusionBillingError], None] | None = None,
        exit_timeout: float = 10.0,
    ) -> None:
        if not 0 < max_events <= max_queue:
            raise ValueError("max_events must be from 1 to max_queue")
        if when_full not in ("block", "raise"):
            raise ValueError("when_full is block or raise")
        self._client = client
        self._on_refused = on_refused
        self._on_trouble = on_trouble
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._block = when_full == "block"
        self._background = background
        self._retry = retry or RetryPolicy(longest=60.0)
        self._exit_timeout = exit_timeout
        self._ceiling = max_events  # lower once the server takes less
        self._queue = EventQueue(max_queue)
        self._reset()
        _open.add(self)

    def _reset(self) -> None:
        self._queue.reset()
        self._limit = self._ceiling
        self._stats = Stats()
        self._troubles = 0  # in a row
        self._trouble: FusionBillingError | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._sending = threading.RLock()

    def __enter__(self) -> UsageBuffer:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._queue)

    @property
    def stats(self) -> Stats:
        return self._stats

    @property
    def trouble(self) -> FusionBillingError | None:
        """Why events are waiting; None when the last attempt went well."""
        return self._trouble

    def add(self, event: UsageEvent) -> None:
        """Take an event. Returns at once unless the buffer is full.

        :raises BufferFullError: full, and ``when_full`` is ``raise``; or this is called
            from ``on_refused``, which must not wait for itself
        :raises BufferClosedError:
        :raises ValueError: the event is no text that JSON in UTF-8 can carry
        """
        size = len(json_bytes(event.as_json())) + 1
        if self._background:
            if self._thread is None:
                self._start()
            ours = threading.current_thread() is self._thread
            self._queue.add(event, size, None if self._block and not ours else 0.0)
        else:
            if self._block and self._queue.is_full:
                self.flush()
            self._queue.add(event, size, 0.0)

    def flush(self, timeout: float | None = None) -> None:
        """Return when every event that was added before has been stored or refused.

        :param timeout: seconds; None waits as long as it takes
        :raises FlushTimeoutError: it took longer; the events are still in the buffer
        :raises CredentialsError, SetupError: waiting does not help; the events are
            still in the buffer
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        self._trouble = None
        number = self._queue.want_all()
        if self._background:
            if threading.current_thread() is self._thread:
                raise RuntimeError("flush() was called from a callback of the buffer")
            self._queue.wait_resolved(number, timeout, self._is_hopeless)
        else:
            self._send_until(number, deadline)
        if self._queue.is_resolved(number):
            return
        trouble = self._trouble
        if trouble is not None and self._is_hopeless():
            raise trouble
        raise FlushTimeoutError(f"{len(self)} events wait still") from trouble

    def close(self, timeout: float | None = 30.0) -> None:
        """Take nothing more, send what is there, and end the thread.

        :param timeout: seconds for all of it
        :raises UndeliveredError: with the events that were not delivered in time. Some
            of them may be on their way; sent again they are not counted twice
        """
        self._queue.close()
        cause: FusionBillingError | None = None
        try:
            if len(self):
                self.flush(timeout)
        except FusionBillingError as error:
            cause = error
        left = self._queue.stop()
        _open.discard(self)
        if left:
            message = f"{len(left)} events were not delivered"
            raise UndeliveredError(message, left) from cause
        if self._thread is not None:
            self._thread.join(timeout)

    # -- sending ---------------------------------------------------------------

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="fusion-billing-usage", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while not self._queue.stopped:
            self._queue.wait_due(self._limit, self._max_bytes, self._max_age)
            wishes = self._queue.wishes
            if wait := self._send_batch():
                # a flush tries at once, unless the server asked for the wait
                asked = getattr(self._trouble, "retry_after", None) is not None
                self._queue.pause(wait, None if asked else wishes)

    def _send_until(self, number: int, deadline: float | None) -> None:
        """Without a thread: send here, until it is done or there is no use in it."""
        with self._sending:
            while not self._queue.is_resolved(number):
                wait = self._send_batch()
                late = deadline is not None and time.monotonic() + wait > deadline
                if late or self._is_hopeless():
                    return
                time.sleep(wait)

    def _send_batch(self) -> float:
        """Send the oldest events once; returns the seconds to wait before the next."""
        batch = self._queue.batch(self._limit, self._max_bytes)
        if not batch:
            return 0.0
        try:
            result = self._send(batch)
        except RequestError as error:
            self._narrow(batch, error)
        except FusionBillingError as error:
            return self._note_trouble(error)
        except Exception as error:  # a bug must not end the thread and strand events
            _logger.exception("cannot send usage")
            return self._note_trouble(FusionBillingError(repr(error)))
        else:
            self._take(batch, result)
        return 0.0

    def _send(self, batch: list[UsageEvent]) -> UsageResult:
        try:
            result = self._client.record_usage(batch, retry=ONCE)
        except UsageRefusedError as error:
            result = error.result
        if len(result.results) != len(batch):
            raise SetupError("the answer has not one result for each event")
        return result

    def _take(self, batch: list[UsageEvent], result: UsageResult) -> None:
        """Deal with a batch the API has judged event by event."""
        self._trouble, self._troubles = None, 0
        self._limit = min(self._limit * 2, self._ceiling)
        self._stats = replace(
            self._stats,
            accepted=self._stats.accepted + result.accepted,
            duplicates=self._stats.duplicates + result.duplicates,
            unallocated=self._stats.unallocated
            + sum(one.unallocated for one in result.results),
        )
        for index, one in result.refused:
            self._refuse(
                Refusal(batch[index], one.code or "", one.error or "", one.field)
            )
        self._queue.resolve(len(batch))

    def _narrow(self, batch: list[UsageEvent], error: RequestError) -> None:
        """A batch was refused as a whole: try half of it, to find who is to blame."""
        self._trouble, self._troubles = None, 0
        if len(batch) == 1:
            text = error.message
            self._refuse(Refusal(batch[0], error.code or "refused", text, error.field))
            self._queue.resolve(1)
            return
        self._limit = len(batch) // 2
        if error.code in _TOO_LARGE:
            self._ceiling = self._limit
            _logger.warning("the server takes less than %s events", len(batch))

    def _refuse(self, refusal: Refusal) -> None:
        self._stats = replace(self._stats, refused=self._stats.refused + 1)
        try:
            self._on_refused(refusal)
        except Exception:
            _logger.exception(
                "on_refused failed; refused was %s of %s: %s",
                refusal.event.idempotency_key,
                refusal.event.subscription_external_id or refusal.event.subscription_id,
                refusal.code,
            )

    def _note_trouble(self, error: FusionBillingError) -> float:
        self._troubles += 1
        self._trouble = error
        _logger.warning("usage waits (%s events): %s", len(self), error)
        if self._on_trouble:
            try:
                self._on_trouble(error)
            except Exception:
                _logger.exception("on_trouble failed")
        self._queue.notify()
        return self._retry.delay(self._troubles, getattr(error, "retry_after", None))

    def _is_hopeless(self) -> bool:
        """Whether a person has to do something before events can be delivered."""
        return self._trouble is not None and not isinstance(
            self._trouble, RetryLaterError
        )

    # -- the end of the process, and its copies --------------------------------

    def _close_at_exit(self) -> None:
        try:
            self.close(self._exit_timeout)
        except UndeliveredError as error:
            _logger.error("at the end of the program %s", error)
            for event in error.events:
                self._refuse(Refusal(event, "not_sent", "the program ended"))


# Held strongly: a buffer that nobody refers to may still hold events.
_open: set[UsageBuffer] = set()


@atexit.register
def _close_all() -> None:
    for buffer in list(_open):
        buffer._close_at_exit()


def _after_fork_in_child() -> None:
    """The parent sends what it holds; the child begins with nothing, and no thread."""
    for buffer in list(_open):
        buffer._reset()
        transport = getattr(buffer._client, "_transport", None)
        if transport is not None:
            transport.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
