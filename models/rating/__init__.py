from . import order_lines, queue, rater, rates, rating
