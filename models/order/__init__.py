from . import sale_order, sale_order_discount, sale_order_line
