from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

from .decode import decode
from .encode import Instant, Number, decimal_text, instant_text
from .errors import (
    FusionBillingError,
    RequestError,
    UsageRefusedError,
    VoidRefusedError,
)
from .events import UsageEvent, UsageKey, subscription_keys
from .results import Page, Reconciliation, Usage, UsageResult, VoidResult
from .retry import RetryPolicy
from .routes import Routes, body_of, every

if TYPE_CHECKING:
    from typing_extensions import Unpack

R = TypeVar("R", UsageResult, VoidResult)


class UsageFilters(TypedDict, total=False):
    """``..._from`` is inclusive, ``..._until`` exclusive. ``subscription`` is an
    external id of yours, or ``by_id(subscription_id)``.
    """

    subscription: str | int
    metric: str
    state: Literal["accepted", "unallocated", "voided"]
    period_from: Instant
    period_until: Instant
    received_from: Instant
    received_until: Instant
    idempotency_key: str


class UsageRoutes(Routes):
    def record_usage(
        self,
        events: Iterable[UsageEvent],
        *,
        atomic: bool = False,
        retry: RetryPolicy | None = None,
    ) -> UsageResult:
        """Store a batch of events; at most 10,000 and 8 MiB as servers are shipped.

        Sending an event again is safe: it is known by its key. See `UsageBuffer` to
        have events collected and sent.

        :param atomic: all or none
        :param retry: another policy than the client's
        :raises UsageRefusedError: some were refused. The others are stored, unless
            ``atomic``; its ``result`` tells of each
        """
        sent = [event.as_json() for event in events]
        body = {"events": sent, **({"atomic": True} if atomic else {})}
        try:
            answer = self._transport.call("POST", "/usage", body, retry=retry)
        except RequestError as error:
            raise _taken_apart(error, UsageResult, UsageRefusedError) from error
        return decode(UsageResult, answer)

    def void_usage(
        self, reason: str, keys: Iterable[UsageKey], *, atomic: bool = False
    ) -> VoidResult:
        """Take events out of billing. To correct one, void it and send the right one
        under a new key.

        :param keys: e.g. `UsageEvent.key`, or `Usage.key` of a listed one
        :raises VoidRefusedError: some could not be voided; its ``result`` tells of each
        """
        events = [key.as_json() for key in keys]
        body = body_of(reason=reason, events=events, atomic=atomic or None)
        try:
            answer = self._transport.call("POST", "/usage/void", body)
        except RequestError as error:
            raise _taken_apart(error, VoidResult, VoidRefusedError) from error
        return decode(VoidResult, answer)

    def list_usage(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        **filters: Unpack[UsageFilters],
    ) -> Page[Usage]:
        """One page of the events that were accepted, in the order they arrived.

        :param limit: 1 to 1000; 100 when left out
        :param cursor: the ``next_cursor`` of the page before
        """
        query = query_of(filters)
        return self._page(Usage, "/usage", "events", query, limit, cursor)

    def iter_usage(
        self, *, cursor: str | None = None, **filters: Unpack[UsageFilters]
    ) -> Iterator[Usage]:
        """All events that were accepted, page by page as they are needed."""
        return every(lambda c: self.list_usage(limit=1000, cursor=c, **filters), cursor)

    def reconcile(
        self,
        subscription_external_id: str | int | None,
        metric_code: str,
        window_start: Instant | date,
        window_end: Instant | date,
        declared_quantity: Number,
        *,
        declared_count: int | None = None,
        declared_amount: Number | None = None,
        complete: bool = False,
        subscription_id: int | None = None,
    ) -> Reconciliation:
        """Hold your totals of a window [start, end) against the server's. The same
        window again replaces what was declared.

        :param complete: all usage of the window has been sent
        :param subscription_id: the id that answers give the subscription, with None for
            the external id
        """
        amount = declared_amount
        body = body_of(
            **subscription_keys(subscription_external_id, subscription_id),
            metric_code=metric_code,
            window_start=_moment(window_start, "window_start"),
            window_end=_moment(window_end, "window_end"),
            declared_quantity=decimal_text(declared_quantity, "declared_quantity"),
            declared_count=declared_count,
            declared_amount=None
            if amount is None
            else decimal_text(amount, "declared_amount"),
            complete=complete or None,
        )
        answer = self._transport.call("POST", "/reconciliations", body)
        return decode(Reconciliation, answer)


def query_of(filters: Mapping[str, Any]) -> dict[str, str | None]:
    """Filters as query parameters: days and moments as text."""
    return {
        name: _moment(value, name) if isinstance(value, date) else _text(value)
        for name, value in filters.items()
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _moment(value: Instant | date, name: str) -> str:
    """A date stands for its midnight in UTC. (A datetime is a date to Python.)"""
    if type(value) is date:
        return value.isoformat()
    return instant_text(value, name)  # type: ignore[arg-type]


def _taken_apart(
    error: RequestError,
    kind: type[R],
    refused: type[UsageRefusedError] | type[VoidRefusedError],
) -> FusionBillingError:
    """The error of a batch with a result for each event; ``error`` itself where the
    batch was refused as a whole.
    """
    if not isinstance(error.body.get("results"), list):
        return error
    failure = refused(
        error.message,
        status=error.status,
        code=error.code,
        field=error.field,
        body=error.body,
    )
    failure.result = decode(kind, error.body)
    return failure
