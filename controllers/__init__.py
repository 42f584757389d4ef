from . import (
    catalog,
    customers,
    events,
    front,
    invoices,
    meta,
    portal,
    reconciliations,
    subscription_changes,
    subscriptions,
    usage,
    usage_portal,
)
