from . import customers, events, invoices, meta, portal, subscriptions, usage
