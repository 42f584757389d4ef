from dataclasses import dataclass
from typing import Annotated, Literal

from ...shape import Answer, Format, Id, Instant, Number, Shape
from .paging import IN_ORDER, HasMore, NextCursor


@dataclass(frozen=True)
class Usage(Shape):
    usage_id: Annotated[int, Format({"type": "integer", "minimum": 1})]
    subscription_id: Annotated[Id, "The subscription in Odoo."]
    external_id: Annotated[str | None, "The subscription's id in your app."]
    metric_code: Annotated[str, "What was measured."]
    quantity: Number
    period_start: Instant
    period_end: Instant
    idempotency_key: Annotated[str | None, "Null where none was given."]
    unique_key: Annotated[str | None, "What a unique-count metric counts."]
    received_at: Instant
    state: Annotated[
        Literal["accepted", "unallocated", "voided"],
        "`unallocated`: no invoice bills it by itself.",
    ]
    voided_at: Instant | None
    void_reason: Annotated[str | None, "Why it was voided."]


@dataclass(frozen=True)
class UsageList(Answer):
    events: Annotated[list[Usage], IN_ORDER]
    has_more: HasMore
    next_cursor: NextCursor
