from . import (
    account_move_line,
    account_move_send,
    invoice_origin,
    invoice_sending,
    invoice_subscriptions,
    line_invoicing,
    order_days,
    order_invoice_sharing,
    order_invoices,
    order_invoicing,
    order_upsell_invoicing,
)
