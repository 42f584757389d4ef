from . import (
    invoice_payment,
    order_charge,
    order_charge_obstacle,
    order_payment,
    payment_token,
    payment_transaction,
)
