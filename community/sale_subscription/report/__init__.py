from . import (
    sale_order_log,
    sale_subscription_cohort,
    sale_subscription_report,
    sale_subscription_report_query,
)
