"""Gives each subscription a saved payment method of Odoo's demo provider.

Needs payment_demo. Charging the method ends well, at once.
"""


def provide(env):
    provider = env["payment.provider"].search(
        [("code", "=", "demo"), ("company_id", "=", env.company.id)], limit=1
    )
    provider.state = "test"
    line = provider.journal_id.inbound_payment_method_line_ids.filtered(
        lambda line: line.payment_provider_id == provider
    )
    line.payment_account_id = provider._get_payment_method_outstanding_account_id(
        line.payment_method_id
    )
    return provider


def main(env):
    provider = provide(env)
    for order in env["sale.order"].search([("subscription_state", "=", "3_progress")]):
        order.payment_token_id = env["payment.token"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[:1].id,
                "payment_details": "4242",
                "partner_id": order.partner_id.id,
                "provider_ref": order.name,
                "demo_simulated_state": "done",
            }
        )
    env.cr.commit()


main(env)  # noqa: F821 (given by the shell)
