"""What the groups of routes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .decode import decode
from .errors import SetupError
from .results import Page
from .transport import Transport

T = TypeVar("T")


@dataclass(frozen=True)
class _PageEnd:
    has_more: bool
    next_cursor: str | None


class Routes:
    _transport: Transport

    def _page(
        self,
        kind: type[T],
        path: str,
        name: str,
        filters: Mapping[str, str | None],
        limit: int | None,
        cursor: str | None,
    ) -> Page[T]:
        """One page of a list.

        :param name: the key of the answer that holds the items
        :param filters: query parameters; None leaves one out
        """
        limit_text = None if limit is None else str(limit)
        query = {**filters, "limit": limit_text, "cursor": cursor}
        body = self._transport.call("GET", path, query=_without_none(query))
        items = body.get(name)
        if not isinstance(items, list):
            raise SetupError(f"the answer has no list {name}")
        end = decode(_PageEnd, body)
        found = [decode(kind, item) for item in items]
        return Page(found, end.has_more, end.next_cursor)


def every(fetch: Callable[[str | None], Page[T]], cursor: str | None) -> Iterator[T]:
    """The items of all pages, fetched as they are needed."""
    while True:
        page = fetch(cursor)
        yield from page
        if not page.has_more:
            return
        if page.next_cursor in (None, cursor):
            raise SetupError("the list does not move on")
        cursor = page.next_cursor


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def body_of(**values: Any) -> dict[str, Any]:
    """A request's body; what is None is left out."""
    return _without_none(values)
