from . import test_subscription_draft_plan
