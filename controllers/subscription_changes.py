from odoo import http

from ..engine.api import answers
from ..engine.api.payload import check_object
from ..models.api.subscription_create import MAX_LINES
from .events import NOTHING
from .openapi.operation import Link, Operation, Request
from .openapi.values import an_object, list_of, one_of, or_null, ref
from .route import api_route
from .subscriptions import BY_ID, GET_SUBSCRIPTION, SUBSCRIPTION, TAG

# At most 10^9.
_QUANTITY = r"^0{0,6}([0-9]{1,9}(\.[0-9]{1,10})?|1000000000(\.0{1,10})?)$"

SCHEMAS = {
    "ChangeRequest": an_object(
        {
            "plan_id": ref("Id", "From the catalog."),
            "lines": list_of(
                ref("LineChangeRequest"),
                "The lines that are to change; others stay as they are.",
                maxItems=MAX_LINES,
            ),
            "when": one_of("now", "period_end") | {"default": "period_end"},
        },
        optional=("plan_id", "lines", "when"),
    ),
    "LineChangeRequest": an_object(
        {
            "line_id": ref("Id", "A line of it, where not `product_id` names it."),
            "product_id": ref("Id", "A product that is billed each period."),
            "quantity": ref("ChangedQuantity"),
        },
        optional=("line_id", "product_id"),
        description="Names a line by one of the two keys. A product that it does not"
        " have gets a line.",
    ),
    "ChangedQuantity": {
        "anyOf": [
            {"type": "string", "pattern": _QUANTITY},
            {"type": "number", "minimum": 0, "maximum": 10**9},
        ],
        "description": "Decimal text or a number: up to 10^9, with as many decimals as"
        " Odoo's quantities have (2 as installed). 0 takes the line away.",
    },
    "PauseRequest": an_object(
        {
            "from": or_null(ref("Day", "The day on which it pauses; today.")),
            "until": or_null(
                ref(
                    "Day",
                    "The day on which it runs again by itself; left out: until it is"
                    " resumed.",
                )
            ),
        },
        optional=("from", "until"),
    ),
    "ResumeRequest": an_object(
        {"date": or_null(ref("Day", "The day on which it runs again; today."))},
        optional=("date",),
    ),
}
_LINKS = {"subscription": Link("getSubscription", BY_ID)}


def _changing(name, summary, description, request, errors, **changes):
    """An operation that answers the subscription as it is after it.

    :param changes: what the example has otherwise
    """
    return Operation(
        name=name,
        tag=TAG,
        summary=summary,
        description=description,
        path={"subscription": SUBSCRIPTION},
        request=request,
        answer=answers.Subscription,
        example=GET_SUBSCRIPTION.example | changes,
        errors=("invalid_payload", *errors, "subscription_refused"),
        unknown_in_path="unknown_subscription",
        links=_LINKS,
    )


_EXAMPLE_LINE = GET_SUBSCRIPTION.example["lines"][0]
UPDATE_SUBSCRIPTION = _changing(
    "updateSubscription",
    "Change plan and quantities",
    """
Changes what the request names, and leaves the rest. With `when` as `period_end` it
holds from the next invoice on. With `now`, a new plan begins a period today, and what
was invoiced for the days to come is credited; a larger quantity is charged by days for
the rest of the period, and a smaller one holds from the next invoice on.

Repeating the request changes nothing.
""",
    Request(
        SCHEMAS,
        "ChangeRequest",
        {
            "Three of a product, from the next invoice on": {
                "lines": [{"product_id": 12, "quantity": 3}]
            },
            "Another plan, today": {"plan_id": 4, "when": "now"},
        },
    ),
    (
        "invalid_plan_id",
        "invalid_lines",
        "too_many_lines",
        "invalid_line",
        "invalid_when",
        "not_available",
    ),
    lines=[_EXAMPLE_LINE | {"quantity": "3", "amount": "30.00"}],
)

PAUSE_SUBSCRIPTION = _changing(
    "pauseSubscription",
    "Pause it, now or on a day",
    """
A paused subscription is not invoiced; what is invoiced already stays. The request says
the whole of the pause: one that is planned, or runs, gets these days. Repeating it
changes nothing.
""",
    Request(
        SCHEMAS,
        "PauseRequest",
        {"For some days": {"from": "2026-01-20", "until": "2026-02-10"}},
        required=False,
    ),
    ("invalid_from", "invalid_until", "not_available"),
    pause_date="2026-01-20",
    resume_date="2026-02-10",
)

RESUME_SUBSCRIPTION = _changing(
    "resumeSubscription",
    "End a pause, now or on a day",
    """
The time of the pause is not invoiced. Where nothing was paid for the days from then on
up to the next invoice date, these are charged by days. Of a subscription that runs, a
pause that is planned is taken back. Repeating the request changes nothing.
""",
    Request(
        SCHEMAS, "ResumeRequest", {"On a day": {"date": "2026-02-10"}}, required=False
    ),
    ("invalid_date", "not_available"),
    subscription_state="4_paused",
    resume_date="2026-02-10",
)

UNDO_CANCEL = _changing(
    "undoCancel",
    "Take back a cancellation",
    """
As long as it runs: the end that `period_end` or `on` has chosen is taken back, and it
ends as was agreed before, if ever. An end that finance has entered stays. Repeating the
request changes nothing.
""",
    NOTHING,
    (),
)

REACTIVATE_SUBSCRIPTION = _changing(
    "reactivateSubscription",
    "Let what has ended run again",
    """
From today on; the time in between is not invoiced. Where nothing was paid for the days
up to the next invoice date, these are charged by days. Repeating the request changes
nothing.
""",
    NOTHING,
    ("not_available",),
)


class SubscriptionChangesApi(http.Controller):
    # Not `path`, which would take `sub-1/cancel` for a name: that is 405.
    @api_route(
        "PATCH", "/subscriptions/<string:subscription>", "manage", UPDATE_SUBSCRIPTION
    )
    def update_subscription(self, call, subscription):
        return call.service._api_update_subscription(subscription, call.body())

    @api_route(
        "POST",
        "/subscriptions/<path:subscription>/pause",
        "manage",
        PAUSE_SUBSCRIPTION,
    )
    def pause_subscription(self, call, subscription):
        return call.service._api_pause(subscription, call.body(optional=True))

    @api_route(
        "POST",
        "/subscriptions/<path:subscription>/resume",
        "manage",
        RESUME_SUBSCRIPTION,
    )
    def resume_subscription(self, call, subscription):
        return call.service._api_resume(subscription, call.body(optional=True))

    @api_route(
        "POST",
        "/subscriptions/<path:subscription>/undo-cancel",
        "manage",
        UNDO_CANCEL,
    )
    def undo_cancel(self, call, subscription):
        check_object(call.body(optional=True))
        return call.service._api_undo_cancel(subscription)

    @api_route(
        "POST",
        "/subscriptions/<path:subscription>/reactivate",
        "manage",
        REACTIVATE_SUBSCRIPTION,
    )
    def reactivate_subscription(self, call, subscription):
        check_object(call.body(optional=True))
        return call.service._api_reactivate(subscription)
