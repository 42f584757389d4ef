from . import charge_history, charge_preview, charge_version

# isort: split
from . import charge, charge_tier, metric, product_template, sale_subscription_plan
