"""What became of each event of a batch, and of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from ...errors import BillingError
from ...shape import IF_ANY, Answer, Count, Refusal, Shape
from ..errors import ErrorCode

_Code = Annotated[ErrorCode | None, IF_ANY, "Why it was refused."]
_Text = Annotated[str | None, IF_ANY, "The same for people."]
_BLAMED = "Which key of the event is to blame, where one is."
_Field = Annotated[str | None, IF_ANY, _BLAMED]
_PerEvent = "One for each event, in order."
_Message = Annotated[str, "The first problem, for people."]
_BatchCode = Annotated[
    ErrorCode, "That of the one event that was refused, or `events_refused`."
]


class _EventResult(Shape):
    @classmethod
    def refused(cls, status: str, error: BillingError):
        """The result of an event that was not taken."""
        return cls(
            status, code=error.code, error=error.message, field=error.field or None
        )

    @classmethod
    def none_taken(cls, results):
        """The results of an atomic batch that failed: only its problems stay.

        :param results: as they were noted, None where there was no problem yet
        """
        return [r if r and r.code else cls("not_stored") for r in results]


@dataclass(frozen=True)
class UsageResult(_EventResult):
    status: Annotated[
        Literal["accepted", "duplicate", "conflict", "rejected", "not_stored"],
        "`duplicate`: the same was sent before, which is a success. `conflict`: its key"
        " was used with other content. `not_stored`: a good event of an atomic batch"
        " that failed.",
    ]
    unallocated: Annotated[
        bool | None, IF_ANY, "Accepted, but no invoice will bill it by itself."
    ] = None
    voided: Annotated[
        bool | None, IF_ANY, "A duplicate of an event that was voided since."
    ] = None
    code: _Code = None
    error: _Text = None
    field: _Field = None


@dataclass(frozen=True)
class VoidResult(_EventResult):
    status: Annotated[
        Literal["voided", "already_voided", "rejected", "not_stored"],
        "`not_stored`: left as it is, because the batch was atomic and failed.",
    ]
    code: _Code = None
    error: _Text = None
    field: _Field = None


@dataclass(frozen=True)
class EventError(Shape):
    index: Annotated[Count, "Which event, from 0."]
    code: Annotated[ErrorCode, "Why it was refused."]
    error: Annotated[str, "The same for people."]
    field: Annotated[str | None, _BLAMED]


@dataclass(frozen=True)
class UsageAnswer(Answer):
    accepted: Annotated[Count, "How many were stored now."]
    duplicates: Annotated[Count, "How many had been stored already."]
    results: Annotated[list[UsageResult], _PerEvent]


@dataclass(frozen=True)
class UsageRefusal(Refusal):
    """Some events were refused. The others are stored, unless the request was
    `atomic`.
    """

    error: _Message
    code: _BatchCode
    accepted: Annotated[Count, "How many were, now."]
    duplicates: Annotated[Count, "How many had been already."]
    results: Annotated[list[UsageResult], _PerEvent]
    errors: Annotated[list[EventError], "What was refused."]


@dataclass(frozen=True)
class VoidAnswer(Answer):
    voided: Annotated[Count, "How many were voided now."]
    already_voided: Annotated[Count, "How many had been already."]
    results: Annotated[list[VoidResult], _PerEvent]


@dataclass(frozen=True)
class VoidRefusal(Refusal):
    """Some events were refused. The others are stored, unless the request was
    `atomic`.
    """

    error: _Message
    code: _BatchCode
    voided: Annotated[Count, "How many were, now."]
    already_voided: Annotated[Count, "How many had been already."]
    results: Annotated[list[VoidResult], _PerEvent]
    errors: Annotated[list[EventError], "What was refused."]


def usage_answer(results: Sequence[UsageResult]) -> UsageAnswer | UsageRefusal:
    """The answer to a batch of usage: its results, counted, and what was refused.

    :param results: one for each event, in request order
    """
    counts = {"accepted": "accepted", "duplicates": "duplicate"}
    return _of_batch(UsageAnswer, UsageRefusal, counts, results)


def void_answer(results: Sequence[VoidResult]) -> VoidAnswer | VoidRefusal:
    """As :func:`usage_answer`, to a batch of events that are to be voided."""
    counts = {"voided": "voided", "already_voided": "already_voided"}
    return _of_batch(VoidAnswer, VoidRefusal, counts, results)


def _of_batch(answer, refusal, counts, results):
    """:param counts: key of the answer -> the status it counts"""
    statuses = [result.status for result in results]
    values = {key: statuses.count(status) for key, status in counts.items()}
    errors = [
        EventError(index, result.code, result.error, result.field)
        for index, result in enumerate(results)
        if result.code
    ]
    if not errors:
        return answer(**values, results=results)
    first, one = errors[0], len(errors) == 1
    return refusal(
        error=first.error
        if one
        else f"{len(errors)} events refused, the first: {first.error}",
        code=first.code if one else "events_refused",
        **values,
        results=results,
        errors=errors,
    )
