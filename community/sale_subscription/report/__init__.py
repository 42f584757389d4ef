from . import sale_subscription_dimensions  # the others are made of it

# isort: split
from . import sale_subscription_cohort, sale_subscription_report
