from . import (
    test_cron,
    test_install,
    test_invoice_changes,
    test_life_cycle,
    test_plan_dates,
    test_recurring_invoice,
    test_security,
)
