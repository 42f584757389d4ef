from . import (
    line_portal,
    order_option,
    order_portal,
    order_quantity,
    order_quotation,
    order_self_service,
    sale_subscription_schedule,
)
