from . import (
    agreements,
    charge_rerating,
    ledger,
    order_lines,
    queue,
    rater,
    rates,
    rating,
)
