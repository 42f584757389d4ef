from . import sale_order_template, sale_subscription_plan
