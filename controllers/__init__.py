from . import (
    customers,
    events,
    front,
    invoices,
    meta,
    portal,
    subscriptions,
    usage,
    usage_portal,
)
