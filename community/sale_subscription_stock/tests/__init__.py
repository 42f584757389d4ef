from . import (
    test_closing,
    test_deliveries,
    test_install,
    test_quantities,
    test_routes,
)
