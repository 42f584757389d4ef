from . import (
    line_upsell,
    order_alternative,
    order_closing,
    order_expiration,
    order_life_cycle,
    order_line_change,
    order_pause,
    order_plan_change,
    order_renewal,
    order_state,
    order_upsell,
    sale_order_close_reason,
)
