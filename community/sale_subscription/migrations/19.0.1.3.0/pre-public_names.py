"""Give up names that modules of others use, and take on those that they look for."""

# Others declare `duration_value` and `duration_unit` of a plan themselves. Copied, not
# renamed: where such a module is installed already, the old ones go on as its own.
# Elsewhere Odoo removes them, as no module declares them any more.
COLUMNS = {"contract_length": "duration_value", "contract_unit": "duration_unit"}
TYPES = {"contract_length": "int4", "contract_unit": "varchar"}

# Renamed, so that the views of people who extend them stay.
VIEWS = {
    "sale_order_close_reason_view_form": "sale_subscription_close_reason_view_form",
    "sale_order_close_reason_view_list": "sale_subscription_close_reason_view_tree",
    "sale_order_template_view_form": "sale_subscription_template_view_form",
    "sale_subscription_plan_view_list": "sale_subscription_plan_view_tree",
    "sale_subscription_view_list": "sale_subscription_view_tree",
}


def migrate(cr, version):
    for new, old in COLUMNS.items():
        # It is there where a module that extends the plan was updated before this one.
        cr.execute(
            "ALTER TABLE sale_subscription_plan"
            f" ADD COLUMN IF NOT EXISTS {new} {TYPES[new]}"
        )
        cr.execute(f"UPDATE sale_subscription_plan SET {new} = {old}")
    for old, new in VIEWS.items():
        cr.execute(
            """
            UPDATE ir_model_data SET name = %s
             WHERE module = 'sale_subscription' AND model = 'ir.ui.view' AND name = %s
            """,
            [new, old],
        )
