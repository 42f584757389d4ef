from . import (
    loyalty_program,
    loyalty_reward,
    sale_order,
    sale_order_line,
    sale_subscription_discount,
)
