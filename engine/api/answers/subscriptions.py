from dataclasses import dataclass
from typing import Annotated, Literal

from ...billing.charge_models import CHARGE_MODELS
from ...shape import (
    Amount,
    Answer,
    Count,
    Currency,
    Day,
    Id,
    Instant,
    Number,
    OneOf,
    Shape,
)
from ...webhook.event_types import (
    ExternalId,
    SubscriptionId,
    SubscriptionState,
    WindowEnd,
    WindowStart,
)

Measured = Annotated[str, "What was measured."]
NotBilledFrom = Annotated[Day | None, "First day that is not billed."]


@dataclass(frozen=True)
class SubscriptionCreated(Answer):
    subscription_id: SubscriptionId
    subscription_state: SubscriptionState
    external_id: ExternalId
    invoices_due: Annotated[
        Count,
        "How many periods have begun and are not invoiced yet: so many invoices"
        " follow.",
    ]


@dataclass(frozen=True)
class Window(Shape):
    start: Instant
    end: Instant


@dataclass(frozen=True)
class SubscriptionLine(Shape):
    line_id: Id
    product_id: Id | None
    name: Annotated[str, "As it stands on invoices."]
    quantity: Number
    price_unit: Number
    amount: Annotated[Amount, "Without taxes."]
    metric_code: Annotated[str | None, "The metric, where it is a line of usage."]
    rated_at: Annotated[
        Instant | None,
        "When the amount of a line of usage was true; null for other lines, and before"
        " the first rating.",
    ]


@dataclass(frozen=True)
class Subscription(Answer):
    subscription_id: SubscriptionId
    external_id: ExternalId
    name: Annotated[str, "Its number in Odoo."]
    external_customer_id: Annotated[str | None, "The customer's id in your app."]
    partner_id: Annotated[Id, "The customer in Odoo."]
    plan_id: Annotated[Id, "The plan."]
    plan_name: Annotated[str, "The plan's name."]
    subscription_state: SubscriptionState
    currency: Currency
    start_date: Annotated[Day | None, "When it began."]
    last_invoice_date: Annotated[Day | None, "First day not yet invoiced."]
    next_invoice_date: Annotated[Day | None, "When it is invoiced next."]
    end_date: NotBilledFrom
    pause_date: Annotated[
        Day | None, "When it will pause; null where that is not planned."
    ]
    resume_date: Annotated[
        Day | None, "When a pause, also one that is planned, ends by itself."
    ]
    window: Annotated[Window | None, "The billing window that is open: `[start, end)`."]
    successor_id: Annotated[Id | None, "The subscription that renews it."]
    lines: list[SubscriptionLine]


@dataclass(frozen=True)
class SubscriptionCancelled(Answer):
    subscription_id: SubscriptionId
    external_id: ExternalId
    subscription_state: SubscriptionState
    end_date: NotBilledFrom


@dataclass(frozen=True)
class Charge(Shape):
    metric_code: Measured
    plan_code: Annotated[str, "The price's name."]
    charge_model: Annotated[
        str,
        OneOf(CHARGE_MODELS),
        "`standard`: every unit above the quota in proportion. `package`: whole"
        " batches; one begun counts as full. `graduated`: each unit at the price of its"
        " tier. `volume`: all units at the price of the tier of the last.",
    ]
    quantity: Annotated[Number, "All that was used in the window."]
    included_quota: Annotated[Number, "What the plan includes."]
    included: Annotated[Number, "Of the quantity, what the quota covers."]
    billable: Annotated[Number, "Of the quantity, what is not."]
    amount: Annotated[Amount, "In the subscription's currency."]


@dataclass(frozen=True)
class InvoiceReference(Shape):
    invoice_id: Id
    number: Annotated[str, "As the customer knows it."]


@dataclass(frozen=True)
class PastCharge(Charge):
    state: Annotated[
        Literal["open", "invoiced"],
        "`open` where something of it is not on an invoice yet.",
    ]
    invoices: list[InvoiceReference]
    rated_at: Annotated[
        Instant | None,
        "When the figures were true: events that came later count from the next hourly"
        " rating on.",
    ]


@dataclass(frozen=True)
class OpenWindow(Shape):
    window_start: WindowStart
    window_end: WindowEnd
    charges: list[Charge]


@dataclass(frozen=True)
class PastWindow(Shape):
    window_start: WindowStart
    window_end: WindowEnd
    charges: list[PastCharge]


@dataclass(frozen=True)
class UnallocatedUsage(Shape):
    metric_code: Measured
    events: Annotated[Count, "How many events."]
    quantity: Annotated[Number, "Their sum."]
    rated_at: Annotated[
        Instant | None,
        "When it was last looked up which events no invoice bills, those that have come"
        " since included; null before the first rating.",
    ]


@dataclass(frozen=True)
class SubscriptionUsage(Answer):
    subscription_id: SubscriptionId
    external_id: ExternalId
    currency: Currency
    current: Annotated[
        OpenWindow | None, "The window that is open; null where none is."
    ]
    past: Annotated[list[PastWindow], "The windows before, the latest first."]
    unallocated: Annotated[list[UnallocatedUsage], "What no invoice bills by itself."]
