from . import (
    agreements,
    charge_rerating,
    grace,
    ledger,
    order_line_rating,
    order_lines,
    order_rating,
    rater,
    rates,
    rating,
    run,
)
