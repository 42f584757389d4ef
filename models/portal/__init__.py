from . import next_invoice, order_portal, usage_page
