from . import test_subscription_rent_dates
