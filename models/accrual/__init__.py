from . import account_accrued_orders_wizard, accrual, accrual_line, entries, valuation
