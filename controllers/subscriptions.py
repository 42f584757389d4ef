from odoo import http

from ..engine.api import answers, query
from ..models.api.subscription_create import MAX_LINES
from .openapi.operation import Link, Operation, Parameter, Request
from .openapi.values import an_object, list_of, one_of, or_null, ref
from .route import api_route

TAG = "Subscriptions"


# Not 0, and at most 10^9.
_LINE_QUANTITY = (
    r"^(?![0.]*$)0{0,6}([0-9]{1,9}(\.[0-9]{1,10})?|1000000000(\.0{1,10})?)$"
)

SUBSCRIPTION = Parameter(
    "Its `external_id`, or `id:` and its `subscription_id`. An app that has never given"
    " a subscription an `external_id` may leave out `id:`.",
    "sub-1",
    ref("Text"),
)

BY_ID = {"subscription": "id:{$response.body#/subscription_id}"}

SCHEMAS = {
    "SubscriptionRequest": an_object(
        {
            "external_customer_id": ref("Text", "An `external_id` of a customer."),
            "plan_id": ref("Id", "From the catalog."),
            "external_id": ref(
                "OptionalText",
                "The subscription's id in your app. With it the request is safe to"
                " repeat. Not `id:` and a number, which means Odoo's id.",
            ),
            "lines": list_of(
                ref("SubscriptionLineRequest"),
                "Products billed each period.",
                maxItems=MAX_LINES,
            ),
            "start_date": or_null(
                ref(
                    "Day",
                    "To take over a running contract, at most ten years away; today"
                    " when left out.",
                )
            ),
            "billed_until": or_null(
                ref(
                    "Day",
                    "First day that was not billed elsewhere, and the first of a"
                    " period. Required where a whole period since `start_date` is"
                    " over.",
                )
            ),
        },
        optional=("external_id", "lines", "start_date", "billed_until"),
    ),
    "SubscriptionLineRequest": an_object(
        {
            "product_id": ref("Id", "A product that is sold."),
            "quantity": ref("LineQuantity", "1 when left out."),
        },
        optional=("quantity",),
    ),
    "LineQuantity": {
        "anyOf": [
            {"type": "string", "pattern": _LINE_QUANTITY},
            {"type": "number", "exclusiveMinimum": 0, "maximum": 10**9},
        ],
        "description": "Decimal text or a number: above zero, up to 10^9, with as many"
        " decimals as Odoo's quantities have (2 as installed).",
    },
    "CancelRequest": an_object(
        {
            "when": one_of(
                "now",
                "period_end",
                "on",
            )
            | {"default": "period_end"},
            "date": or_null(
                ref("Day", "First day that is not billed, after today; for `on`.")
            ),
            "reason": ref("OptionalText", "Kept with the subscription."),
        },
        optional=("when", "date", "reason"),
    ),
}

CREATE_SUBSCRIPTION = Operation(
    name="createSubscription",
    tag=TAG,
    summary="Create and start a subscription",
    description="""
Creates the subscription and confirms it: it runs from `start_date` on. Usage lines
come by themselves; `lines` are the products that are billed each period beside.

With an `external_id` the request is safe to repeat: the same id returns the same
subscription. From your first `external_id` on, whatever you name a subscription by is
your own id, also where it is a number; Odoo's goes by `subscription_id`, and by `id:80`
in paths and filters.

Where a whole period since `start_date` is over, `billed_until` must say until when it
was billed elsewhere: the first day that was not. It is the first day of a period;
`start_date` has all of them billed here. `invoices_due` counts those that have begun
and are not invoiced yet.
""",
    request=Request(
        SCHEMAS,
        "SubscriptionRequest",
        {
            "A monthly plan with a base fee": {
                "external_customer_id": "acc-1",
                "external_id": "sub-1",
                "plan_id": 3,
                "lines": [{"product_id": 12, "quantity": 1}],
            },
            "A contract that was billed elsewhere": {
                "external_customer_id": "acc-1",
                "external_id": "sub-2",
                "plan_id": 3,
                "start_date": "2025-11-01",
                "billed_until": "2026-01-01",
            },
        },
    ),
    answer=answers.SubscriptionCreated,
    example={
        "status": "ok",
        "subscription_id": 12,
        "subscription_state": "3_progress",
        "external_id": "sub-1",
        "invoices_due": 1,
    },
    errors=(
        "invalid_payload",
        "missing_field",
        "invalid_external_customer_id",
        "invalid_plan_id",
        "invalid_external_id",
        "unknown_customer",
        "invalid_lines",
        "too_many_lines",
        "invalid_line",
        "invalid_start_date",
        "invalid_billed_until",
        "external_id_conflict",
        "subscription_refused",
    ),
    links={
        "subscription": Link("getSubscription", BY_ID),
        "usage": Link("getSubscriptionUsage", BY_ID),
        "cancel": Link("cancelSubscription", BY_ID),
        "update": Link("updateSubscription", BY_ID),
    },
)

GET_SUBSCRIPTION = Operation(
    name="getSubscription",
    tag=TAG,
    summary="State, dates and lines of a subscription",
    description="""
The line of a metric shows what it had come to when it was last rated (hourly); `GET
/subscriptions/{subscription}/usage` is up to date.
""",
    path={"subscription": SUBSCRIPTION},
    answer=answers.Subscription,
    example={
        "status": "ok",
        "subscription_id": 12,
        "external_id": "sub-1",
        "name": "S00012",
        "external_customer_id": "acc-1",
        "partner_id": 7,
        "plan_id": 3,
        "plan_name": "Monthly",
        "subscription_state": "3_progress",
        "currency": "USD",
        "start_date": "2026-01-01",
        "last_invoice_date": "2026-01-01",
        "next_invoice_date": "2026-02-01",
        "end_date": None,
        "pause_date": None,
        "resume_date": None,
        "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
        "successor_id": None,
        "lines": [
            {
                "line_id": 31,
                "product_id": 12,
                "name": "Base fee",
                "quantity": "1",
                "price_unit": "10",
                "amount": "10.00",
                "metric_code": None,
                "rated_at": None,
            }
        ],
    },
    unknown_in_path="unknown_subscription",
)

GET_SUBSCRIPTION_USAGE = Operation(
    name="getSubscriptionUsage",
    tag=TAG,
    summary="What was used, and what it comes to",
    description="""
What to show your own customers: `amount` is what the invoice would say now, priced by
the same function.
""",
    path={"subscription": SUBSCRIPTION},
    query={
        "past": Parameter(
            "How many windows before the open one.",
            1,
            {"default": 3},
            read=query.whole(0, 24),
        )
    },
    answer=answers.SubscriptionUsage,
    example={
        "status": "ok",
        "subscription_id": 12,
        "external_id": "sub-1",
        "currency": "USD",
        "current": {
            "window_start": "2026-02-01T00:00:00Z",
            "window_end": "2026-03-01T00:00:00Z",
            "charges": [
                {
                    "metric_code": "api_calls",
                    "plan_code": "monthly",
                    "charge_model": "standard",
                    "quantity": "130",
                    "included_quota": "100",
                    "included": "100",
                    "billable": "30",
                    "amount": "15.00",
                }
            ],
        },
        "past": [
            {
                "window_start": "2026-01-01T00:00:00Z",
                "window_end": "2026-02-01T00:00:00Z",
                "charges": [
                    {
                        "metric_code": "api_calls",
                        "plan_code": "monthly",
                        "charge_model": "standard",
                        "quantity": "80",
                        "included_quota": "100",
                        "included": "80",
                        "billable": "0",
                        "amount": "0.00",
                        "state": "invoiced",
                        "invoices": [{"invoice_id": 88, "number": "INV/2026/00012"}],
                        "rated_at": "2026-02-01T06:00:00Z",
                    }
                ],
            }
        ],
        "unallocated": [],
    },
    unknown_in_path="unknown_subscription",
)

CANCEL_SUBSCRIPTION = Operation(
    name="cancelSubscription",
    tag=TAG,
    summary="End a subscription",
    description="""
With `when` as `period_end` it ends with the period that runs, and its last usage is
billed then; with `now` it is closed at once and its usage billed. With `on` it ends on
`date`: another day of yours may follow, but it never runs longer than was agreed.
What was invoiced in advance is not given back. Repeating the request changes nothing.
""",
    path={"subscription": SUBSCRIPTION},
    request=Request(
        SCHEMAS,
        "CancelRequest",
        {
            "When the period ends": {"when": "period_end", "reason": "moved away"},
            "On a day": {"when": "on", "date": "2026-06-30"},
        },
    ),
    answer=answers.SubscriptionCancelled,
    example={
        "status": "ok",
        "subscription_id": 12,
        "external_id": "sub-1",
        "subscription_state": "3_progress",
        "end_date": "2026-02-01",
    },
    errors=(
        "invalid_payload",
        "missing_field",
        "invalid_when",
        "invalid_date",
        "invalid_reason",
        "subscription_refused",
    ),
    unknown_in_path="unknown_subscription",
    links={"subscription": Link("getSubscription", BY_ID)},
)


class SubscriptionsApi(http.Controller):
    @api_route("POST", "/subscriptions", "manage", CREATE_SUBSCRIPTION)
    def create_subscription(self, call):
        return call.service._create_subscription(call.body())

    @api_route("GET", "/subscriptions/<path:subscription>", "read", GET_SUBSCRIPTION)
    def subscription(self, call, subscription):
        return call.service._api_subscription(subscription)

    @api_route(
        "GET",
        "/subscriptions/<path:subscription>/usage",
        "read",
        GET_SUBSCRIPTION_USAGE,
    )
    def subscription_usage(self, call, subscription):
        return call.service._api_subscription_usage(subscription, **call.query)

    @api_route(
        "POST",
        "/subscriptions/<path:subscription>/cancel",
        "manage",
        CANCEL_SUBSCRIPTION,
    )
    def cancel_subscription(self, call, subscription):
        return call.service._api_cancel_subscription(subscription, call.body())
