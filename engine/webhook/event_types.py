"""The kinds of webhook events there are, and what each of them holds.

The one list: the records that apps choose from (data/webhook_types.xml), the OpenAPI
document and docs/webhook-events.md are held against it by tests. Another module adds
its own by :func:`register`; see docs/extend/webhook-type.md.

An event's ``data`` has a shape for each type. Much of it the API answers, too, and
takes it from here.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from ..shape import (
    IF_ANY,
    LATER,
    Amount,
    Count,
    Currency,
    Day,
    Id,
    Instant,
    Number,
    Shape,
)

SubscriptionId = Annotated[Id, "The subscription in Odoo."]
ExternalId = Annotated[str | None, "Its id in your app."]
SubscriptionState = Annotated[
    Literal[
        "1_draft",
        "2_renewal",
        "3_progress",
        "4_paused",
        "5_renewed",
        "6_churn",
        "7_upsell",
    ],
    "`3_progress` runs, `4_paused` does not, `5_renewed` has a successor, `6_churn` has"
    " ended.",
]
WindowStart = Annotated[Instant, "First instant of the window."]
WindowEnd = Annotated[Instant, "First instant after it."]
InvoiceType = Literal["out_invoice", "out_refund"]
PayersId = Annotated[
    str | None,
    "The customer's id in your app: the account of its first subscription.",
]
OwnSubscriptions = Annotated[list[Id], "The subscriptions of yours it bills."]
InvoiceDate = Annotated[Day | None, "Of the invoice."]
DueDate = Annotated[Day | None, "When it is to be paid."]
_Metric = Annotated[str, "The metric's code."]
_Invoice = Annotated[Id, "The invoice in Odoo."]
_Code = Annotated[Currency, "Its code, as `USD`."]


@dataclass(frozen=True)
class EventPayload(Shape):
    """What your receiver is sent."""

    api_version: Annotated[
        str,
        "A date, as `2026-01-01`; another one when something is taken away or changes"
        " its meaning.",
    ]
    id: Annotated[str, "The same in every attempt: your key to deduplicate."]
    type: Annotated[str, "As `invoice.posted`."]
    created_at: Annotated[Instant, "When it happened."]
    sequence: Annotated[
        Count | None,
        LATER,
        "The number of the event among those of its subscription that your service is"
        " told of; null for an event of no one subscription.",
    ]
    service: Annotated[str, "Code of your service."]
    data: Annotated[dict, "What happened; each type has keys of its own."]


@dataclass(frozen=True)
class CustomerLinkedData(Shape):
    external_id: Annotated[str, "The account's id in your app."]
    partner_id: Annotated[Id, "The customer in Odoo."]


@dataclass(frozen=True)
class CustomerUpdatedData(Shape):
    external_id: Annotated[str, "The account's id in your app."]
    partner_id: Annotated[Id, "The customer in Odoo."]
    name: Annotated[str | None, "The customer's name."]
    email: Annotated[str | None, "Where invoices go."]
    changed: Annotated[
        list[Literal["partner_id", "name", "email"]], "Which of these changed."
    ]


@dataclass(frozen=True)
class SubscriptionData(Shape):
    subscription_id: SubscriptionId
    external_id: ExternalId
    name: Annotated[str, "As the customer knows it."]
    external_customer_id: Annotated[str | None, "The customer's id in your app."]
    plan_id: Annotated[Id, "From the catalog."]
    subscription_state: SubscriptionState
    start_date: Annotated[Day | None, "Its first day."]
    next_invoice_date: Annotated[Day | None, "When it is billed next."]


@dataclass(frozen=True)
class PlanChange(Shape):
    before: Id
    after: Id


@dataclass(frozen=True)
class StateChange(Shape):
    before: SubscriptionState
    after: SubscriptionState


@dataclass(frozen=True)
class DayChange(Shape):
    before: Day | None
    after: Day | None


@dataclass(frozen=True)
class LineChange(Shape):
    line_id: Id
    product_id: Id | None
    before: Annotated[Number, "The quantity before; 0 of a line that is new."]
    after: Annotated[Number, "The quantity now; 0 of a line that was taken away."]


@dataclass(frozen=True)
class SubscriptionChanges(Shape):
    """What is not here is as it was."""

    plan_id: Annotated[PlanChange | None, IF_ANY, "The plan."] = None
    subscription_state: Annotated[StateChange | None, IF_ANY, "The state."] = None
    start_date: Annotated[DayChange | None, IF_ANY, "Its first day."] = None
    next_invoice_date: Annotated[
        DayChange | None,
        IF_ANY,
        "When it is billed next, where that was moved by anything but an invoice.",
    ] = None
    end_date: Annotated[DayChange | None, IF_ANY, "First day not billed."] = None
    pause_date: Annotated[DayChange | None, IF_ANY, "When it will pause."] = None
    resume_date: Annotated[DayChange | None, IF_ANY, "When a pause will end."] = None
    lines: Annotated[
        list[LineChange] | None, IF_ANY, "Products that are billed each period."
    ] = None


@dataclass(frozen=True)
class SubscriptionUpdatedData(SubscriptionData):
    previous_state: Annotated[
        SubscriptionState, "The state before; the same where something else changed."
    ]
    changes: Annotated[SubscriptionChanges, LATER, "What changed."]


@dataclass(frozen=True)
class ThresholdReachedData(Shape):
    subscription_id: SubscriptionId
    external_id: ExternalId
    metric: _Metric
    window_start: WindowStart
    window_end: WindowEnd
    threshold_percent: Annotated[Count, "The share of the quota, in percent."]
    quantity: Annotated[Number, "What was used in the window until then."]
    included_quota: Annotated[Number, "What the plan includes."]


@dataclass(frozen=True)
class ClosedRating(Shape):
    metric: _Metric
    window_start: WindowStart
    window_end: WindowEnd
    revision: Annotated[Count, "0; 1 and up for usage that came after its invoice."]
    quantity: Annotated[Number | None, "All that was used in the window."]
    billable: Annotated[Number | None, "Of it, what the quota does not cover."]
    amount: Annotated[Amount, "What the invoice bills, without taxes."]
    currency: _Code


@dataclass(frozen=True)
class RatingClosedData(Shape):
    invoice_id: _Invoice
    subscription_id: SubscriptionId
    external_id: ExternalId
    ratings: Annotated[list[ClosedRating], "One for each window billed."]


@dataclass(frozen=True)
class InvoiceEventData(Shape):
    invoice_id: _Invoice
    number: Annotated[str, "As the customer knows it."]
    type: Annotated[InvoiceType, "`out_refund`: a credit note."]
    external_customer_id: PayersId
    subscription_ids: OwnSubscriptions
    date: InvoiceDate
    due_date: DueDate
    currency: _Code
    amount_untaxed: Annotated[Amount, "Without taxes."]
    amount_total: Annotated[Amount, "With taxes."]


@dataclass(frozen=True)
class MismatchData(Shape):
    reconciliation_id: Annotated[Id, "The comparison in Odoo."]
    subscription_id: SubscriptionId
    external_id: ExternalId
    metric: _Metric
    window_start: WindowStart
    window_end: WindowEnd


@dataclass(frozen=True)
class TestData(Shape):
    """Nothing."""


# In the order people read them. The sentence is for those who choose.
EVENT_TYPES: dict[str, str] = {
    "customer.linked": "An account of the app was linked to its customer.",
    "customer.updated": "The name or email of a customer changed.",
    "subscription.created": "A subscription starts for the first time.",
    "subscription.updated": "A subscription changed.",
    "usage.threshold_reached": "Usage reached a quota alert.",
    "rating.closed": "The billing windows are on a posted invoice.",
    "invoice.posted": "An invoice was posted.",
    "invoice.paid": "An invoice was paid.",
    "invoice.cancelled": "An invoice was cancelled.",
    "reconciliation.mismatch": "The totals of the app differ from those here.",
}
# Somebody tries the receiver: told whatever an app has chosen, and never chosen.
TEST = "webhook.test"


def register(code: str, description: str) -> None:
    """Add a kind of event.

    :param code: what receivers read, as ``quote.accepted``
    :param description: one sentence for those who choose it
    """
    EVENT_TYPES[code] = description


def is_known(code: str) -> bool:
    return code == TEST or code in EVENT_TYPES
