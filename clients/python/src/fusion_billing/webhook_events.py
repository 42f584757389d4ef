from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, TypedDict

from .decode import decode
from .encode import Instant, path
from .results import EventSending, Page, WebhookEvent
from .routes import Routes, every
from .usage import query_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


class EventFilters(TypedDict, total=False):
    """``created_from`` is inclusive, ``created_until`` exclusive."""

    type: str
    state: Literal["pending", "sent", "dead"]
    created_from: Instant
    created_until: Instant


class WebhookEventRoutes(Routes):
    """What was, or will be, sent to your webhook receiver."""

    def list_events(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        **filters: Unpack[EventFilters],
    ) -> Page[WebhookEvent]:
        """One page, in the order they were written."""
        query = query_of(filters)
        return self._page(WebhookEvent, "/events", "events", query, limit, cursor)

    def iter_events(
        self, *, cursor: str | None = None, **filters: Unpack[EventFilters]
    ) -> Iterator[WebhookEvent]:
        """All of them, page by page as they are needed."""
        return every(
            lambda c: self.list_events(limit=1000, cursor=c, **filters), cursor
        )

    def replay_event(self, event_id: str) -> EventSending:
        """Have an event sent again, under the id it has.

        :raises NotFoundError: ``unknown_event``
        """
        route = path("events", event_id, "replay")
        return decode(EventSending, self._transport.call("POST", route, {}))

    def send_test_webhook(self) -> EventSending:
        """Have a ``webhook.test`` event sent."""
        answer = self._transport.call("POST", "/webhooks/test", {}, safe=False)
        return decode(EventSending, answer)
