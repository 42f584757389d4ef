from . import test_shop_cart
