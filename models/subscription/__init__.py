from . import (
    account,
    customer_document,
    order_life,
    order_prices,
    order_windows,
    references,
    window_seal,
)

# isort: split
from . import (
    allocation,
    changes,
    res_company,
    succession,
    timeline,
    window,
    window_charge,
    window_store,
)
