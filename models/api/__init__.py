from . import (
    api_log,
    api_refusal,
    catalog,
    customers,
    events,
    invoices,
    pdf_turn,
    reconciliations,
    subscription_create,
    subscriptions,
    usage,
    usage_windows,
)
