"""Phases that tell what happens, how long it took, and sum up at the end."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

HEARTBEAT = 15.0  # seconds of silence after which a phase says it is still at it
QUICK = 0.3  # a phase shorter than this was ready already: one line is enough


class Phase:
    """One running phase.

    `note` adds what the closing line should mention; `status` is shown while it runs.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds = 0.0
        self.notes: list[str] = []
        self.status = ""

    def note(self, text: str) -> None:
        self.notes.append(text)


class Progress:
    """Prints phases as they run; safe to use from several threads."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        """With `quiet`, phases that take no time go unmentioned."""
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self.phases: list[Phase] = []

    def say(self, text: str) -> None:
        with self._lock:
            print(text, file=self._stream, flush=True)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Time a phase. Only phases that finish are in the summary."""
        phase = Phase(name)
        started = time.monotonic()
        done = threading.Event()
        watcher = threading.Thread(
            target=self._watch, args=(phase, started, done), daemon=True
        )
        watcher.start()
        try:
            yield phase
        except BaseException:
            done.set()
            watcher.join()
            self.say(f" !! {name}: failed after {time.monotonic() - started:.1f} s")
            raise
        done.set()
        watcher.join()
        phase.seconds = time.monotonic() - started
        notes = f"  ({'; '.join(phase.notes)})" if phase.notes else ""
        with self._lock:
            self.phases.append(phase)
        if not self._quiet or phase.seconds >= QUICK:
            self.say(f" ok {phase.seconds:6.1f} s  {name}{notes}")

    def _watch(self, phase: Phase, started: float, done: threading.Event) -> None:
        if done.wait(QUICK):
            return
        self.say(f" .. {phase.name}")
        while not done.wait(HEARTBEAT):
            status = f", {phase.status}" if phase.status else ""
            self.say(f" .. {phase.name}: {time.monotonic() - started:.0f} s{status}")

    def summary(self) -> str:
        """A table of the phases in the order they ended, and the total time."""
        total = time.monotonic() - self._started
        lines = ["Time taken:"]
        lines += [f"  {p.seconds:7.1f} s  {p.name}" for p in self.phases]
        lines.append(f"  {total:7.1f} s  in all (phases may overlap)")
        return "\n".join(lines)
