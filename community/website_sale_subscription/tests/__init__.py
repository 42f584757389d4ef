from . import (
    test_shop_browser,
    test_shop_cart,
    test_shop_other_ways,
    test_shop_payment,
    test_shop_prices,
)
