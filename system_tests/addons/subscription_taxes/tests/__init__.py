from . import test_subscription_taxes
