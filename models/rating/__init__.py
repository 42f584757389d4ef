from . import agreements, ledger, order_lines, queue, rater, rates, rating
