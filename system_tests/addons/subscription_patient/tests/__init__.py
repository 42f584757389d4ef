from . import test_subscription_patient
