from . import guarded, order_forms, order_isolation, sale_subscription_run
