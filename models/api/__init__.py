from . import (
    catalog,
    customers,
    events,
    invoices,
    reconciliations,
    subscription_create,
    subscriptions,
    usage,
    usage_windows,
)
