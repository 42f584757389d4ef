from . import test_subscription_plan_duration
