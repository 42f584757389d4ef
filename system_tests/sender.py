"""A source app under stress: it posts until it is told that the events are in."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable

from .api import Answer, Api

# What an app repeats a request for, besides no answer at all.
AGAIN = (429, 503)
PAUSE = 0.1  # seconds
PATIENCE = 120.0


def post_until_answered(send: Callable[[], Answer]) -> Answer:
    """Send until there is an answer that is final.

    :raises AssertionError: when there is none for `PATIENCE`
    :raises ValueError: when one is no JSON
    """
    deadline = time.monotonic() + PATIENCE
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = send()
            if last.status not in AGAIN:
                return last
            assert last.body["status"] == "error"  # in JSON, whatever goes wrong
        except (OSError, http.client.HTTPException) as error:
            last = error
        time.sleep(PAUSE)
    raise AssertionError(f"no final answer for {PATIENCE:.0f} s, the last: {last}")


class Sender:
    """Threads that post batches of new events while the block runs.

    When it ends they finish what they have begun, so that each event that was ever sent
    is acknowledged then.

    :param make_events: makes the events of one batch
    """

    def __init__(
        self, api: Api, make_events: Callable[[], list[dict]], threads: int = 3
    ) -> None:
        self.api = api
        self.make_events = make_events
        self.acknowledged: list[dict] = []
        self.problems: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self) -> Sender:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Wait until so many more events are acknowledged."""
        goal = len(self.acknowledged) + count
        deadline = time.monotonic() + PATIENCE
        while len(self.acknowledged) < goal and not self.problems:
            if time.monotonic() > deadline:
                raise AssertionError("nothing is acknowledged any more")
            time.sleep(0.01)

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self.problems:
                events = self.make_events()
                answer = post_until_answered(lambda e=events: self.api.usage(e))
                body = answer.body
                taken = body.get("accepted", 0) + body.get("duplicates", 0)
                if answer.status != 200 or taken != len(events):
                    raise AssertionError(f"{answer.status} {answer.content[:300]!r}")
                self.acknowledged += events
        except Exception as error:
            self.problems.append(repr(error))
