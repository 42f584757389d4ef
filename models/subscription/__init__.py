from . import (
    account,
    allocation,
    closing,
    discount,
    grace,
    sale_order,
    sale_order_line,
    succession,
    timeline,
    window,
    window_charge,
    window_store,
)
