"""A lock between runs that share the cache, released by the kernel when a run dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from .progress import Progress


@contextlib.contextmanager
def exclusive(path: Path, progress: Progress, purpose: str) -> Iterator[None]:
    """Hold `path` alone; say so when another run makes us wait."""
    # read-only: root and the owner of the cache can then lock each other's file
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f" .. waiting: another run is busy with {purpose}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Users:
    """Counts the live users of something with shared locks (no pid bookkeeping)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def leave(self, when_last: Callable[[], object]) -> None:
        """Stop being a user; call `when_last` when nobody else is one.

        A new user waits until that call has returned.
        """
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            when_last()
        except BlockingIOError:
            pass
        finally:
            os.close(self.descriptor)
