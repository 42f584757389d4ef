"""What the routes answer: the shape of each answer, once; a file for each subject.

The handlers (``models/api``) build these, the OpenAPI document describes them, the
Python client is held against them. See :mod:`engine.shape <...shape>` for how they are
read.
"""

from dataclasses import dataclass

from ...shape import Answer
from .batch import (
    EventError,
    UsageAnswer,
    UsageRefusal,
    UsageResult,
    VoidAnswer,
    VoidRefusal,
    VoidResult,
    usage_answer,
    void_answer,
)
from .catalog import Catalog, Metric, Plan, Price, Tier
from .customers import Customer, CustomerDetails
from .events import Event, EventList, EventState
from .invoices import Invoice, InvoiceDetails, InvoicedUsage, InvoiceLine, InvoiceList
from .reconciliations import DeclaredTotals, Reconciliation, Totals
from .subscriptions import (
    Charge,
    InvoiceReference,
    OpenWindow,
    PastCharge,
    PastWindow,
    Subscription,
    SubscriptionCancelled,
    SubscriptionCreated,
    SubscriptionLine,
    SubscriptionUsage,
    UnallocatedUsage,
    Window,
)
from .usage import Usage, UsageList


@dataclass(frozen=True)
class Health(Answer):
    pass
