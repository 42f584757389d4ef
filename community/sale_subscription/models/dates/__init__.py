from . import line_due, order_dates, order_upsell_dates, sale_subscription_period
