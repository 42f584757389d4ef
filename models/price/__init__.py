from . import charge_preview

# isort: split
from . import charge, charge_tier, metric, product_template, sale_subscription_plan
