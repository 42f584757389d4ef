from . import (
    agreements,
    arithmetic,
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
