from . import (
    sale_order_discount,
    sale_subscription_change_plan,
    sale_subscription_close,
    sale_subscription_pause,
)
