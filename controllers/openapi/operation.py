"""What a person has to write about a route; the rest of its description is derived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ...engine.api import query
from ...engine.api.query import Reader
from ...engine.shape import Shape

JSON = "application/json"


@dataclass(frozen=True)
class Parameter:
    """What varies in a path or a query string.

    :param example: a value as it stands in the URL, or None
    :param schema: JSON Schema; for a query parameter beside what its reader accepts
    :param read: how a query parameter is read
    """

    description: str
    example: object = None
    schema: Mapping[str, object] = field(default_factory=dict)
    read: Reader | None = None


@dataclass(frozen=True)
class Request:
    """A request body.

    :param schemas: name -> JSON Schema: that of the body, and what it consists of
    :param schema: name of that of the body
    :param examples: a title -> the body
    :param required: False where no body at all will do
    """

    schemas: Mapping[str, Mapping]
    schema: str
    examples: Mapping[str, object]
    required: bool = True


@dataclass(frozen=True)
class Link:
    """What to call next with what was answered.

    :param operation: its id
    :param parameters: its parameters, as runtime expressions of OpenAPI
    """

    operation: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Deprecation:
    """That a route will go.

    :param since: the day from which on it should not be used
    :param until: the day on which it goes
    :param link: address of what to use instead
    """

    since: date
    until: date
    link: str


@dataclass(frozen=True)
class Operation:
    """A route, as developers of source apps need it described.

    :param name: its id in the document, unique
    :param tag: the group it belongs to, see :data:`.document.TAGS`
    :param answer: the type of a good answer: a :class:`~...engine.shape.Shape`, or a
        type with a format that has a name
    :param example: a good answer, to the first example of the request
    :param media: media type of a good answer
    :param errors: codes it can answer, beside those that any such request can get
    :param unknown_in_path: the code for a path that names nothing
    :param refusal: the shape of a 400 that tells more than an ``Error``
    :param refusal_example: such an answer
    :param deprecation: None for a route that stays
    """

    name: str
    tag: str
    summary: str
    answer: object
    example: object = None
    description: str = ""
    media: str = JSON
    request: Request | None = None
    path: Mapping[str, Parameter] = field(default_factory=dict)
    query: Mapping[str, Parameter] = field(default_factory=dict)
    errors: Sequence[str] = ()
    unknown_in_path: str | None = None
    refusal: type[Shape] | None = None
    refusal_example: object = None
    links: Mapping[str, Link] = field(default_factory=dict)
    deprecation: Deprecation | None = None


def paging(kind: str, cursor: str) -> dict[str, Parameter]:
    """The query parameters of a list.

    :param kind: which list
    :param cursor: an example
    """
    readers = query.page(kind)
    return {
        "limit": Parameter(
            "How many at most.", schema={"default": 100}, read=readers["limit"]
        ),
        "cursor": Parameter(
            "The `next_cursor` of the page before, with the same filters.",
            schema={"examples": [cursor]},
            read=readers["cursor"],
        ),
    }
