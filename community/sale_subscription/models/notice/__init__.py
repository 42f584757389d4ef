from . import sale_subscription_notice
