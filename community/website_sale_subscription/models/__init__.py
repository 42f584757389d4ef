from . import (
    account_move,
    payment_method,
    payment_provider,
    payment_transaction,
    product_pricelist,
    product_product,
    product_template,
    sale_order,
    sale_order_line,
    sale_subscription_plan,
)
