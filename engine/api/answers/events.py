from dataclasses import dataclass
from typing import Annotated

from ...shape import Answer, Count, Format, Instant, Shape, Written
from ...webhook.event_types import EventPayload
from .paging import IN_ORDER, HasMore, NextCursor

State = Annotated[
    str,
    Format(
        {
            "type": "string",
            "enum": ["pending", "sent", "dead"],
            "description": "`dead`: given up after about three and a half days.",
        },
        "DeliveryState",
    ),
]


@dataclass(frozen=True)
class Event(Shape):
    event_id: Annotated[str, "The same in every attempt."]
    event_type: Annotated[str, "As `invoice.posted`."]
    state: State
    attempts: Annotated[Count, "How often it was sent."]
    created_at: Instant
    payload: Annotated[dict, Written(EventPayload)]


@dataclass(frozen=True)
class EventList(Answer):
    events: Annotated[list[Event], IN_ORDER]
    has_more: HasMore
    next_cursor: NextCursor


@dataclass(frozen=True)
class EventState(Answer):
    event_id: Annotated[str, "The same as the first time."]
    state: State
