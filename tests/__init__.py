from . import (
    test_account_link,
    test_api_handlers,
    test_browser,
    test_constraints,
    test_http,
    test_invoicing,
    test_rating,
    test_reconciliation,
    test_security,
    test_service_keys,
    test_usage,
    test_webhook,
)
