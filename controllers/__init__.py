from . import customers, events, invoices, meta, subscriptions, usage
