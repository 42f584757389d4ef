from . import (
    sale_subscription_change_plan,
    sale_subscription_close,
    sale_subscription_pause,
)
