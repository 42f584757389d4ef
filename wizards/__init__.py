from . import (
    accrual_wizard,
    api_key_wizard,
    audit_explain_wizard,
    charge_version_wizard,
    hold_wizard,
    next_invoice_wizard,
    usage_move_wizard,
    usage_void_wizard,
    webhook_replay_wizard,
    webhook_secret_wizard,
)
