from . import test_billing_recipes
