"""What the API answers. Quantities and amounts are Decimal, moments are UTC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from .events import UsageKey

T = TypeVar("T")
Day = date  # where a field is named date, too


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list, oldest first.

    :param next_cursor: where the list goes on, also for items that are yet to come
    """

    items: list[T]
    has_more: bool
    next_cursor: str | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)


@dataclass(frozen=True)
class CustomerLink:
    """:param contact: ``written``, or ``kept`` where name and e-mail are not yours to
    write: the customer has what it had
    """

    partner_id: int
    external_id: str
    contact: str = "written"


@dataclass(frozen=True)
class Customer:
    partner_id: int
    external_id: str
    name: str | None
    email: str | None


@dataclass(frozen=True)
class NewSubscription:
    """``invoices_due``: so many periods have begun and are not invoiced yet; None where
    the server does not tell.
    """

    subscription_id: int
    subscription_state: str
    external_id: str | None
    invoices_due: int | None = None


@dataclass(frozen=True)
class Window:
    """Half-open: [start, end)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class SubscriptionLine:
    line_id: int
    product_id: int | None
    name: str
    quantity: Decimal
    price_unit: Decimal
    amount: Decimal
    metric_code: str | None
    rated_at: datetime | None = None


@dataclass(frozen=True)
class Subscription:
    subscription_id: int
    external_id: str | None
    name: str
    subscription_state: str
    external_customer_id: str | None
    partner_id: int
    plan_id: int
    plan_name: str
    currency: str
    start_date: date | None
    last_invoice_date: date | None
    next_invoice_date: date | None
    end_date: date | None
    window: Window | None
    successor_id: int | None
    lines: list[SubscriptionLine]
    pause_date: date | None = None
    resume_date: date | None = None


@dataclass(frozen=True)
class Cancellation:
    subscription_id: int
    external_id: str | None
    subscription_state: str
    end_date: date | None


# -- usage ---------------------------------------------------------------------


@dataclass(frozen=True)
class EventResult:
    """What became of one event.

    :param status: accepted or duplicate; voided or already_voided; conflict or
        rejected, with code, error and field; not_stored, where it is good and another
        event of an atomic batch is not
    :param unallocated: stored, and no invoice will bill it by itself
    :param voided: a duplicate of an event that was voided since
    """

    status: str
    code: str | None = None
    error: str | None = None
    field: str | None = None
    unallocated: bool = False
    voided: bool = False


@dataclass(frozen=True)
class UsageResult:
    """``results`` has one entry for each event, in the order they were sent."""

    accepted: int
    duplicates: int
    results: list[EventResult]

    @property
    def refused(self) -> list[tuple[int, EventResult]]:
        """Index and result of the events that were not taken."""
        return [(i, r) for i, r in enumerate(self.results) if r.code is not None]


@dataclass(frozen=True)
class VoidResult:
    voided: int
    already_voided: int
    results: list[EventResult]

    @property
    def refused(self) -> list[tuple[int, EventResult]]:
        return [(i, r) for i, r in enumerate(self.results) if r.code is not None]


@dataclass(frozen=True)
class Usage:
    """An event that was accepted.

    :param idempotency_key: None when it was sent without one
    :param state: accepted, unallocated or voided
    """

    usage_id: int
    subscription_id: int
    external_id: str | None
    metric_code: str
    quantity: Decimal
    period_start: datetime
    period_end: datetime
    idempotency_key: str | None
    unique_key: str | None
    received_at: datetime
    state: str
    voided_at: datetime | None
    void_reason: str | None

    @property
    def key(self) -> UsageKey:
        """To void it.

        :raises ValueError: it has none
        """
        if self.idempotency_key is None:
            raise ValueError("the event was sent without a key")
        return UsageKey(
            None,
            self.metric_code,
            self.idempotency_key,
            subscription_id=self.subscription_id,
        )


@dataclass(frozen=True)
class InvoiceNumber:
    invoice_id: int
    number: str


@dataclass(frozen=True)
class Charge:
    """What one metric came to in one window. ``state``, ``invoices`` and ``rated_at``,
    when the figures were true, are of past windows alone; others are true now.
    """

    metric_code: str
    plan_code: str
    charge_model: str
    quantity: Decimal
    included_quota: Decimal
    included: Decimal
    billable: Decimal
    amount: Decimal
    state: str | None = None
    invoices: list[InvoiceNumber] = field(default_factory=list)
    rated_at: datetime | None = None


@dataclass(frozen=True)
class UsageWindow:
    window_start: datetime
    window_end: datetime
    charges: list[Charge]


@dataclass(frozen=True)
class UnallocatedUsage:
    metric_code: str
    events: int
    quantity: Decimal
    rated_at: datetime | None = None


@dataclass(frozen=True)
class SubscriptionUsage:
    """``current`` is what an invoice would say now; None when no window is open."""

    subscription_id: int
    external_id: str | None
    currency: str
    current: UsageWindow | None
    past: list[UsageWindow]
    unallocated: list[UnallocatedUsage]


# -- catalog -------------------------------------------------------------------


@dataclass(frozen=True)
class CatalogTier:
    """``up_to``: the last billable unit of it; None: without end."""

    up_to: Decimal | None
    price_per_unit: Decimal
    flat_fee: Decimal


@dataclass(frozen=True)
class CatalogCharge:
    plan_id: int
    plan_code: str
    metric: str
    included_quota: Decimal
    price_per_unit: Decimal  # for each unit_batch: 5 for 1000 is 0.005 a unit
    unit_batch: Decimal
    charge_model: str
    tiers: list[CatalogTier]
    minimum_amount: Decimal
    currency: str
    valid_from: date | None
    valid_until: date | None
    metric_code: str = ""  # as `metric`; servers before 19.0.1.8.0 lack it


@dataclass(frozen=True)
class CatalogMetric:
    code: str
    name: str
    aggregation: str
    unit: str | None


@dataclass(frozen=True)
class CatalogPlan:
    plan_id: int
    name: str
    billing_period_value: int
    billing_period_unit: str


@dataclass(frozen=True)
class Catalog:
    charges: list[CatalogCharge]
    metrics: list[CatalogMetric]
    plans: list[CatalogPlan]


# -- invoices ------------------------------------------------------------------


@dataclass(frozen=True)
class Invoice:
    """Amounts are in ``currency``; of a credit note (``out_refund``) they are positive,
    too.
    """

    invoice_id: int
    number: str
    type: str
    state: str
    payment_state: str
    external_customer_id: str | None
    partner_id: int
    subscription_ids: list[int]
    date: Day | None
    due_date: Day | None
    currency: str
    amount_untaxed: Decimal
    amount_tax: Decimal
    amount_total: Decimal
    amount_due: Decimal
    pdf_path: str


@dataclass(frozen=True)
class InvoicedUsage:
    metric_code: str
    window_start: datetime
    window_end: datetime
    quantity: Decimal
    included: Decimal
    billable: Decimal
    amount: Decimal


@dataclass(frozen=True)
class InvoiceLine:
    line_id: int
    name: str
    quantity: Decimal
    price_unit: Decimal
    amount: Decimal
    subscription_id: int | None
    usage: list[InvoicedUsage]


@dataclass(frozen=True)
class InvoiceWithLines(Invoice):
    lines: list[InvoiceLine]


# -- reconciliation and events -------------------------------------------------


@dataclass(frozen=True)
class Totals:
    quantity: Decimal
    count: int | None
    amount: Decimal | None


@dataclass(frozen=True)
class Reconciliation:
    """``state`` is matched, mismatch or explained; None stands for what was not
    declared.
    """

    reconciliation_id: int
    state: str
    complete: bool
    currency: str
    declared: Totals
    ours: Totals
    difference: Totals
    compared_at: datetime | None = None


@dataclass(frozen=True)
class WebhookEvent:
    """``state`` is pending, sent or dead."""

    event_id: str
    event_type: str
    state: str
    attempts: int
    created_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True)
class EventSending:
    event_id: str
    state: str = "pending"
