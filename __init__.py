from . import controllers, models, wizards


def uninstall_hook(env):
    """Stop the usage lines: left alone they would go on as fixed monthly fees.

    And drop what belongs to no model: two tables, and the function of two triggers.
    """
    lines = env["sale.order.line"].search([("fc_charge_id", "!=", False)])
    lines.with_context(fc_rating=True).write(
        {"price_unit": 0.0, "technical_price_unit": 0.0}
    )
    for table in ("rate_bucket", "pdf_claim"):
        env.cr.execute(f"DROP TABLE IF EXISTS fusion_billing_{table}")
    env.cr.execute("DROP FUNCTION IF EXISTS fusion_billing_announce CASCADE")
