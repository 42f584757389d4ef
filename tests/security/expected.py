"""What the sweep of public methods gives them, and who may do what by them."""

# What a method is given where it asks for something, by the name of the parameter.
# A method with a parameter that is not here makes the sweep fail: add it.
ARGUMENTS = {
    "source_ref": lambda case, model: "mail.message_origin_link",
    "plan": lambda case, model_name: case.plan.id,
    "fields_list": lambda case, model_name: list(case.env[model_name]._fields),
    "vals": lambda case, model_name: {},
    "vals_list": lambda case, model_name: [{}],
    "help_message": lambda case, model_name: "",
    "fields": lambda case, model_name: ["quantity"],
    "data": lambda case, model_name: [["5"]],
}
# Values worth writing, where code of ours does something of its own about them.
WRITES = {
    "sale.order": [
        {"subscription_state": "6_churn"},
        {"subscription_state": "3_progress"},
        {"fc_usage_discount": 50},
        {"next_invoice_date": "2026-05-01"},
        {"payment_token_id": False},
        {"state": "sale"},
    ],
    "sale.order.line": [{"discount": 50}, {"price_unit": 1}],
    "account.move.line": [{"price_unit": 1}, {"discount": 50}],
    "fusion.billing.charge": [{"price_per_unit": 9}, {"active": False}],
    "fusion.billing.charge.tier": [{"price_per_unit": 9}],
    "fusion.billing.metric": [{"aggregation": "max"}, {"name": "x"}],
    "fusion.billing.service": [{"webhook_url": False}, {"name": "x"}],
    "fusion.billing.usage": [{"unallocated": True}, {"quantity": 1}],
    "fusion.billing.rating": [{"state": "released"}, {"amount": 1}],
    "fusion.billing.window": [{"settled_at": False}],
    "fusion.billing.webhook": [{"state": "sent"}, {"payload": "x"}],
    "fusion.billing.price.draft": [{"state": "live"}, {"live_date": False}],
    "fusion.billing.reconciliation": [{"note": "x"}, {"declared_quantity": 9}],
    "fusion.billing.control": [{"note": "x"}, {"date_end": "2026-02-28"}],
    "fusion.billing.control.line": [{"posted_amount": 1}],
    "fusion.billing.hold": [{"state": "decided"}],
    "res.company": [{"fc_billing_tz": "Europe/Berlin"}],
    "product.pricelist": [{"company_id": 1}],
}
# What Odoo works out in its own dialogs from where they were opened.
DIALOGS = {
    "account.move.reversal": lambda case: {
        "journal_id": case.invoice.journal_id.id,
        "move_ids": [(6, 0, case.invoice.ids)],
        "company_id": case.company.id,
    },
    "account.accrued.orders.wizard": lambda case: {
        "journal_id": case.env["account.journal"]
        .search([("type", "=", "general"), ("company_id", "=", case.company.id)])[:1]
        .id,
    },
}
MANAGERS = ("manager", "administrator")
ACCRUERS = (*MANAGERS, "invoicing accountant")
SELLERS = ("salesperson", "sales manager")
# Who may change, by a method, records that he has no right to write to otherwise; and
# who may by which dialog. At home: nobody changes anything of another company.
MAY = {
    ("fusion.billing.webhook", "action_replay"): MANAGERS,
    ("fusion.billing.audit", "action_run"): MANAGERS,
    ("fusion.billing.api.key", "action_revoke"): ("administrator",),
    ("fusion.billing.api.key.wizard", "action_generate"): ("administrator",),
    ("fusion.billing.webhook.secret.wizard", "action_generate"): ("administrator",),
    ("fusion.billing.webhook.replay.wizard", "action_replay"): MANAGERS,
    ("fusion.billing.charge.version.wizard", "action_create"): MANAGERS,
    ("fusion.billing.overview", "action_rate_now"): MANAGERS,
    ("fusion.billing.rating", "action_rate_now"): MANAGERS,
    ("sale.order", "action_fc_rate_now"): MANAGERS,
    ("fusion.billing.audit.explain.wizard", "action_explain"): MANAGERS,
    ("fusion.billing.usage.void.wizard", "action_void"): MANAGERS,
    ("fusion.billing.usage.move.wizard", "action_move"): MANAGERS,
    ("fusion.billing.accrual", "action_post_entries"): ACCRUERS,
    ("fusion.billing.accrual", "action_compute"): ACCRUERS,
    ("fusion.billing.accrual", "action_cancel"): ACCRUERS,
    ("fusion.billing.accrual.wizard", "action_preview"): ACCRUERS,
    ("account.move.reversal", "reverse_moves"): ("invoicing accountant",),
    ("fusion.billing.hold.wizard", "action_decide"): MANAGERS,
    ("sale.subscription.close", "action_close"): SELLERS,
    ("sale.subscription.pause", "action_pause"): SELLERS,
    ("sale.subscription.change.plan", "action_change_plan"): SELLERS,
    ("sale.order.discount", "action_apply_discount"): SELLERS,
}
