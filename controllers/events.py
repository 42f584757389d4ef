from odoo import http

from ..engine.api import answers, query
from ..engine.api.payload import check_object
from .openapi.operation import Link, Operation, Parameter, Request, paging
from .openapi.values import ref
from .route import api_route

TAG = "Webhook events"

EVENT_ID = Parameter(
    "The `event_id` of a list or a webhook.",
    "evt_0c3a5d1f9b6e4a7d8c2b1f0e9d8c7b6a",
    ref("Text"),
)

SCHEMAS = {
    "Nothing": {
        "type": "object",
        "additionalProperties": False,
        "description": "An empty object, or no body at all.",
    },
}

_STATE_EXAMPLE = {
    "status": "ok",
    "event_id": EVENT_ID.example,
    "state": "pending",
}

NOTHING = Request(SCHEMAS, "Nothing", {"Nothing": {}}, required=False)

LIST_EVENTS = Operation(
    name="listEvents",
    tag=TAG,
    summary="Your webhook events",
    description="""
What was sent to your receiver can also be fetched, for example after it was down.
""",
    query={
        "type": Parameter("Of this type.", "invoice.posted", read=query.text),
        "state": Parameter(
            "In this state.", "dead", read=query.choice("pending", "sent", "dead")
        ),
        "created_from": Parameter(
            "Written at this instant or later.", read=query.instant
        ),
        "created_until": Parameter("Written before this.", read=query.instant),
        **paging("event", "ZXZlbnQ6MTI"),
    },
    answer=answers.EventList,
    example={
        "status": "ok",
        "events": [
            {
                "event_id": EVENT_ID.example,
                "event_type": "invoice.posted",
                "state": "dead",
                "attempts": 14,
                "created_at": "2026-02-01T00:00:05Z",
                "payload": {
                    "api_version": "2026-01-01",
                    "id": EVENT_ID.example,
                    "type": "invoice.posted",
                    "created_at": "2026-02-01T00:00:05Z",
                    "sequence": None,
                    "service": "nexacloud",
                    "data": {"invoice_id": 88, "number": "INV/2026/00012"},
                },
            }
        ],
        "has_more": False,
        "next_cursor": "ZXZlbnQ6MTI",
    },
)

REPLAY_EVENT = Operation(
    name="replayEvent",
    tag=TAG,
    summary="Have an event sent again",
    description="""
It keeps its event id: receivers know it for a repetition.
""",
    path={"event_id": EVENT_ID},
    request=NOTHING,
    answer=answers.EventState,
    example=_STATE_EXAMPLE,
    errors=("invalid_payload", "no_webhook_url"),
    unknown_in_path="unknown_event",
)

TEST_WEBHOOK = Operation(
    name="testWebhook",
    tag=TAG,
    summary="Send a test event",
    description="An event of the type `webhook.test` goes to your webhook address.",
    request=NOTHING,
    answer=answers.EventState,
    example=_STATE_EXAMPLE,
    errors=("invalid_payload", "no_webhook_url"),
    links={
        "replay": Link("replayEvent", {"event_id": "$response.body#/event_id"}),
    },
)


class EventsApi(http.Controller):
    @api_route("GET", "/events", "read", LIST_EVENTS, read_committed=True)
    def events(self, call):
        return call.service._api_events(call.query)

    @api_route("POST", "/events/<string:event_id>/replay", "manage", REPLAY_EVENT)
    def replay_event(self, call, event_id):
        check_object(call.body(optional=True))
        return call.service._api_replay_event(event_id)

    @api_route("POST", "/webhooks/test", "manage", TEST_WEBHOOK)
    def test_webhook(self, call):
        check_object(call.body(optional=True))
        return call.service._api_test_webhook()
