from . import test_subscription_delegated
