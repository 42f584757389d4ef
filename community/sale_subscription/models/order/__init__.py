from . import account_move, order_backend, res_partner, sale_order, sale_order_line
