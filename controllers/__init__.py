from . import (
    catalog,
    customers,
    events,
    front,
    invoices,
    meta,
    portal,
    reconciliations,
    subscriptions,
    usage,
    usage_portal,
)
