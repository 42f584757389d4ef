from . import (
    catalog,
    customers,
    events,
    invoices,
    public,
    reconciliations,
    subscription_create,
    subscriptions,
    usage,
    usage_windows,
)
