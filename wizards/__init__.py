from . import (
    api_key_wizard,
    audit_explain_wizard,
    invoice_release_wizard,
    usage_move_wizard,
    usage_void_wizard,
    webhook_replay_wizard,
    webhook_secret_wizard,
)
