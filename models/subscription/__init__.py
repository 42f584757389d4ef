from . import account, customer_document, grace, references, sections

# isort: split
from . import (
    closing,
    discount,
    sale_order,
    sale_order_line,
    succession,
    timeline,
    window,
    window_charge,
    window_store,
)
