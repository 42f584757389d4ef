from . import controllers, models, wizards


def uninstall_hook(env):
    """Stop the usage lines: left alone they would go on as fixed monthly fees."""
    lines = env["sale.order.line"].search([("fc_charge_id", "!=", False)])
    lines.with_context(fc_rating=True).write(
        {"price_unit": 0.0, "technical_price_unit": 0.0}
    )
