from . import customers, events, front, invoices, meta, subscriptions, usage
