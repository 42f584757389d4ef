"""When a failed delivery is tried again, and when it is given up."""

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

# 2, 4, 8 ... 1024 minutes, then every 1024: some 14 attempts in 3.5 days.
MAX_EXPONENT = 10
CAP = timedelta(minutes=2**MAX_EXPONENT)
JITTER = 0.1
LONGEST_DELAY = CAP * (1 + JITTER)
GIVE_UP_AFTER = timedelta(days=3.5)
# Out of reach by the schedule above. It ends the attempts where the time of the
# first one says nothing, as after the server's clock was set back.
MAX_ATTEMPTS = 20

_SECONDS = re.compile(r"[0-9]{1,64}")
_MAX_RETRY_AFTER_TEXT = 64


def delay_minutes(attempts: int) -> int:
    """Minutes to wait after this many attempts: 2 ** attempts, up to 1024."""
    return 2 ** min(attempts, MAX_EXPONENT)


def next_delay(
    attempts: int, jitter: float, retry_after: float | None = None
) -> timedelta:
    """Return how long to wait before the next attempt.

    :param attempts: made so far, >= 1
    :param jitter: random number in [0, 1); adds up to 10 %, so that what failed
        together is not tried again together. It never shortens.
    :param retry_after: seconds the receiver asked for. It can lengthen the wait,
        up to 1024 minutes, and never shortens it.
    """
    base = timedelta(minutes=delay_minutes(attempts))
    delay = base
    if retry_after is not None:
        asked = timedelta(seconds=min(retry_after, CAP.total_seconds()))
        delay = max(base, asked)
    return delay + base * (JITTER * jitter)


def parse_retry_after(text: str | None, now: float) -> float | None:
    """Return the seconds a ``Retry-After`` header asks for, >= 0.

    Source: RFC 9110, 10.2.3: whole seconds, or a date. Anything else (negative,
    1e99, prose) is None: a receiver's nonsense is no reason to wait.

    :param now: seconds since the epoch
    """
    if not text or len(text) > _MAX_RETRY_AFTER_TEXT or not text.isascii():
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000": UTC, of unknown origin
            moment = moment.replace(tzinfo=timezone.utc)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def give_up(attempts: int, first_at: datetime | None, now: datetime) -> bool:
    """Whether an event is dead after this many failed attempts.

    :param first_at: when the first attempt was made, same kind as ``now``
    """
    if attempts >= MAX_ATTEMPTS:
        return True
    return first_at is not None and now - first_at >= GIVE_UP_AFTER
