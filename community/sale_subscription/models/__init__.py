from . import (
    account_move,
    account_move_line,
    product_template,
    sale_order,
    sale_order_close_reason,
    sale_order_invoicing,
    sale_order_line,
    sale_subscription_period,
    sale_subscription_plan,
)
