"""What can go wrong, by what the caller must do about it.

==========================  =======================================================
:class:`RetryLaterError`    nothing: send the same again later
:class:`RequestError`       mend the request; sent again it is refused again
:class:`CredentialsError`   mend the API key: it is unknown, expired, or lacks a scope
:class:`SetupError`         mend the address, database or network: what answers there
                            is not the API
==========================  =======================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .events import UsageEvent
    from .results import UsageResult, VoidResult


class FusionBillingError(Exception):
    """The base of all errors of this package but wrong arguments (ValueError,
    TypeError).

    :param message: for people
    :param status: the HTTP status, None when there was no answer
    :param code: the API's stable code, None when the answer was not the API's
    :param field: the key or parameter of the request that is to blame, if one is
    :ivar request_id: what the request is called in the server's log, None without an
        answer of the API
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.request_id: str | None = None
        self.message = message
        self.status = status
        self.code = code
        self.field = field

    def __str__(self) -> str:
        details = [self.status and f"HTTP {self.status}", self.code, self.field]
        text = ", ".join(str(detail) for detail in details if detail)
        return f"{self.message} ({text})" if text else self.message


class RetryLaterError(FusionBillingError):
    """No answer, or one that asks to come back later. The same request may succeed.

    :param retry_after: seconds that the server asks to wait
    :param repeat: whether the client repeats such a request by itself
    :param maybe_done: whether the request may have been carried out all the same
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        repeat: bool = True,
        maybe_done: bool = True,
    ) -> None:
        super().__init__(message, status=status, code=code)
        self.retry_after = retry_after
        self.repeat = repeat
        self.maybe_done = maybe_done
        self.attempts = 1  # how often the request was sent


class RequestError(FusionBillingError):
    """The API understood the request and refuses it.

    :param body: the answer
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        field: str | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, field=field)
        self.body = body or {}


class NotFoundError(RequestError):
    """What the request names is not there, or is not this service's."""


class UsageRefusedError(RequestError):
    """Some events of a batch were refused; the others are stored, unless the batch was
    atomic. ``result`` tells of each.
    """

    result: UsageResult


class VoidRefusedError(RequestError):
    """Some events of a batch could not be voided; ``result`` tells of each."""

    result: VoidResult


class CredentialsError(FusionBillingError):
    """The API key is unknown, expired or revoked, or has no scope for this request."""


class SetupError(FusionBillingError):
    """What answers at the address is not the API, or not the right version of it."""


# -- of the buffer -------------------------------------------------------------


class BufferClosedError(FusionBillingError):
    """Something was added to a buffer after it was closed."""


class BufferFullError(FusionBillingError):
    """The buffer holds as many events as it may; this one was not taken."""


class FlushTimeoutError(FusionBillingError):
    """Not everything was delivered in time. The events are still in the buffer."""


class UndeliveredError(FusionBillingError):
    """The buffer was closed before everything was delivered.

    :param events: what it still held. Send them another day: they keep their
        idempotency keys, so that none is counted twice
    """

    def __init__(self, message: str, events: Sequence[UsageEvent]) -> None:
        super().__init__(message)
        self.events = list(events)


@dataclass(frozen=True)
class Refusal:
    """An event that the API did not take, and why.

    :param code: of the API; ``not_sent`` when the program ended before it was sent
    """

    event: UsageEvent
    code: str
    error: str
    field: str | None = None
