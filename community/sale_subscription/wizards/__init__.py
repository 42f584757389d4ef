from . import sale_subscription_close
