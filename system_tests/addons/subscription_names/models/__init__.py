from . import (
    account_move,
    product_template,
    sale_order,
    sale_order_line,
    sale_order_log,
)
