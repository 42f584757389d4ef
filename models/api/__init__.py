from . import (
    catalog,
    customers,
    events,
    invoices,
    public,
    reconciliations,
    subscription_changes,
    subscription_create,
    subscriptions,
    usage,
    usage_windows,
)
