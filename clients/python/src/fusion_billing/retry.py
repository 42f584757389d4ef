"""When to send a request again: how often, and after what wait."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """Waits that double each time, and vary so that many clients do not come back at
    the same moment.

    :param attempts: how often a request is sent at most
    :param first: seconds before the second attempt
    :param longest: seconds that no wait exceeds, unless the server asks for more
    :param total: seconds that all attempts and waits may take together; an attempt
        that has begun is not cut off
    """

    attempts: int = 8
    first: float = 0.5
    longest: float = 30.0
    total: float = 120.0

    def delay(
        self,
        attempt: int,
        retry_after: float | None = None,
        chance: Callable[[], float] = random.random,
    ) -> float:
        """Seconds to wait after attempt number ``attempt`` (1, 2, ...): between half
        and all of the doubled wait, and never less than the server asks for.
        """
        # beyond 2 ** 30 the longest wait has been reached, and floats overflow
        wait = min(self.longest, self.first * 2.0 ** min(attempt - 1, 30))
        wait *= 0.5 + 0.5 * chance()
        if retry_after is not None:
            wait = max(wait, retry_after * (1 + 0.1 * chance()))
        return wait

    def allows(self, attempt: int, elapsed: float, delay: float) -> bool:
        """Whether to wait ``delay`` seconds and go on after so many attempts."""
        return attempt < self.attempts and elapsed + delay <= self.total


ONCE = RetryPolicy(attempts=1)
