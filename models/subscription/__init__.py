from . import account, customer_document, order_prices, order_windows, references

# isort: split
from . import (
    allocation,
    res_company,
    succession,
    timeline,
    window,
    window_charge,
    window_store,
)
