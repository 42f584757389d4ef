from . import (
    account_move,
    guarded,
    sale_order,
    sale_order_line,
    stock_move,
    stock_reference,
)
