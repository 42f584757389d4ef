from . import (
    line_amounts,
    line_discount,
    line_pricing,
    order_discount,
    order_mrr,
    order_pricing,
    product_pricelist,
    product_pricelist_item,
    product_product,
    product_template,
    sale_order_log,
    sale_subscription_discount,
)
