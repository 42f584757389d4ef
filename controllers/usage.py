from odoo import http

from ..engine.api import answers, query
from ..engine.api.collector import paused_collection
from .openapi.operation import Operation, Parameter, Request, paging
from .openapi.values import an_object, flag, list_of, names_subscription, or_null, ref
from .route import api_route

TAG = "Usage"

MAX_EVENTS = 10_000  # as shipped; a setting

_EVENT_CODES = (
    "events_refused",
    "invalid_event",
    "missing_field",
    "invalid_subscription_external_id",
    "invalid_subscription_id",
    "subscription_mismatch",
    "unknown_subscription",
    "invalid_metric_code",
    "invalid_idempotency_key",
)

_BATCH_CODES = (
    "invalid_payload",
    "invalid_events",
    "too_many_events",
    "invalid_atomic",
)

_ATOMIC = flag("Store all of them, or none. False when left out.")

_KEY = {
    "subscription_external_id": ref("SubscriptionReference"),
    "subscription_id": ref("OdooReference"),
    "metric_code": ref("Text", "Code of a metric."),
}

SCHEMAS = {
    "UsageRequest": an_object(
        {
            "events": or_null(
                list_of(
                    ref("UsageEvent"),
                    "At most 10,000 as shipped. An empty list, null, or a body without"
                    " any key are no events, and fine.",
                    maxItems=MAX_EVENTS,
                )
            ),
            "atomic": _ATOMIC,
        },
        optional=("atomic", "events"),
        description="With `events`, or with no key at all.",
    ),
    "UsageEvent": names_subscription(
        an_object(
            {
                **_KEY,
                "quantity": ref("DecimalInput"),
                "period_start": ref(
                    "InstantInput",
                    "The event belongs to the window this lies in. At most 24 hours"
                    " ahead, as shipped.",
                ),
                "period_end": ref("InstantInput", "Not before `period_start`."),
                "idempotency_key": or_null(
                    ref(
                        "Text",
                        "What the event is known by, within its subscription and"
                        " metric. Without one it is known by its content.",
                    )
                ),
                "unique_key": or_null(
                    ref(
                        "Text",
                        "What a unique-count metric counts, for example a user id;"
                        " required there.",
                    )
                ),
            },
            optional=("idempotency_key", "unique_key"),
        )
    ),
    "VoidRequest": an_object(
        {
            "reason": ref("Text", "Kept with each event."),
            "events": list_of(ref("EventKey"), maxItems=MAX_EVENTS),
            "atomic": flag("Void all of them, or none. False when left out."),
        },
        optional=("atomic",),
    ),
    "EventKey": names_subscription(an_object({**_KEY, "idempotency_key": ref("Text")})),
}

_EVENT = {
    "subscription_external_id": "sub-1",
    "metric_code": "api_calls",
    "quantity": "1.25",
    "period_start": "2026-01-10T09:00:00Z",
    "period_end": "2026-01-10T10:00:00Z",
    "idempotency_key": "2026-01-10T09/host-1",
}

_BAD_QUANTITY = {
    "code": "invalid_quantity",
    "error": "invalid quantity",
    "field": "quantity",
}

_UNKNOWN_EVENT = {
    "code": "unknown_event",
    "error": "no event of yours has this idempotency_key",
    "field": "idempotency_key",
}

RECORD_USAGE = Operation(
    name="recordUsage",
    tag=TAG,
    summary="Record a batch of usage events",
    description="""
Every event gets a result, in order: `accepted`, `duplicate`, `conflict` or
`rejected`. Good events are stored although others are not. If any is refused, the
answer is 400 with status `error`, and `errors` lists what was refused.

Retry whatever you like: an event is known by its subscription, metric and
`idempotency_key`, and is stored once. The same key with other content is a conflict
and changes nothing. Give keys wherever two different events can look alike.
""",
    request=Request(
        SCHEMAS,
        "UsageRequest",
        {
            "One event": {"events": [_EVENT]},
            "All or none": {
                "atomic": True,
                "events": [_EVENT, {**_EVENT, "idempotency_key": "09/host-2"}],
            },
        },
    ),
    answer=answers.UsageAnswer,
    example={
        "status": "ok",
        "accepted": 1,
        "duplicates": 0,
        "results": [{"status": "accepted"}],
    },
    errors=(
        *_BATCH_CODES,
        *_EVENT_CODES,
        "unknown_metric",
        "invalid_quantity",
        "invalid_period",
        "period_order",
        "period_in_future",
        "idempotency_conflict",
        "invalid_unique_key",
    ),
    refusal=answers.UsageRefusal,
    refusal_example={
        "status": "error",
        "error": "invalid quantity",
        "code": "invalid_quantity",
        "accepted": 1,
        "duplicates": 0,
        "results": [
            {"status": "accepted"},
            {"status": "rejected", **_BAD_QUANTITY},
        ],
        "errors": [{"index": 1, **_BAD_QUANTITY}],
    },
)

LIST_USAGE = Operation(
    name="listUsage",
    tag=TAG,
    summary="Events that were accepted",
    description="The events that your service sent, also those voided since.",
    query={
        "subscription": Parameter(
            "Of this subscription: its `external_id`, or `id:` and its"
            " `subscription_id`.",
            "sub-1",
            read=query.text,
        ),
        "metric": Parameter("With this `metric_code`.", read=query.text),
        "state": Parameter(
            "In this state.", read=query.choice("accepted", "unallocated", "voided")
        ),
        "period_from": Parameter(
            "`period_start` is this or later.",
            "2026-01-01T00:00:00Z",
            read=query.instant,
        ),
        "period_until": Parameter("`period_start` is before this.", read=query.instant),
        "received_from": Parameter(
            "Received at this instant or later.", read=query.instant
        ),
        "received_until": Parameter("Received before this.", read=query.instant),
        "idempotency_key": Parameter("With this key.", read=query.text),
        **paging("usage", "dXNhZ2U6NTAx"),
    },
    answer=answers.UsageList,
    example={
        "status": "ok",
        "events": [
            {
                "usage_id": 501,
                "subscription_id": 12,
                "external_id": "sub-1",
                "metric_code": "api_calls",
                "quantity": "1.25",
                "period_start": "2026-01-10T09:00:00Z",
                "period_end": "2026-01-10T10:00:00Z",
                "idempotency_key": "2026-01-10T09/host-1",
                "unique_key": None,
                "received_at": "2026-01-10T10:00:02Z",
                "state": "accepted",
                "voided_at": None,
                "void_reason": None,
            }
        ],
        "has_more": False,
        "next_cursor": "dXNhZ2U6NTAx",
    },
    errors=("unknown_subscription",),
)

VOID_USAGE = Operation(
    name="voidUsage",
    tag=TAG,
    summary="Take events out of billing",
    description="""
An accepted event never changes. Void it, with a reason, and send the right one under
a new key. What was billed already in the window invoiced last is credited on the next
invoice. Repeating the request changes nothing.

The key stays used: sent again, the event is a `duplicate` with `"voided": true`.
""",
    request=Request(
        SCHEMAS,
        "VoidRequest",
        {
            "One event": {
                "reason": "counted twice by host-1",
                "events": [
                    {
                        key: _EVENT[key]
                        for key in (
                            "subscription_external_id",
                            "metric_code",
                            "idempotency_key",
                        )
                    }
                ],
            }
        },
    ),
    answer=answers.VoidAnswer,
    example={
        "status": "ok",
        "voided": 1,
        "already_voided": 0,
        "results": [{"status": "voided"}],
    },
    errors=(*_BATCH_CODES, *_EVENT_CODES, "invalid_reason", "unknown_event"),
    refusal=answers.VoidRefusal,
    refusal_example={
        "status": "error",
        "error": "no event of yours has this idempotency_key",
        "code": "unknown_event",
        "voided": 0,
        "already_voided": 0,
        "results": [{"status": "rejected", **_UNKNOWN_EVENT}],
        "errors": [{"index": 0, **_UNKNOWN_EVENT}],
    },
)


class UsageApi(http.Controller):
    @api_route("POST", "/usage", "usage", RECORD_USAGE, read_committed=True)
    def record_usage(self, call):
        with paused_collection():
            return call.service._record_events(call.events_body())

    @api_route("POST", "/usage/void", "usage", VOID_USAGE, read_committed=True)
    def void_usage(self, call):
        return call.service._api_void_usage(call.events_body())

    @api_route("GET", "/usage", "read", LIST_USAGE, read_committed=True)
    def usage(self, call):
        return call.service._api_usage(call.query)
