"""Registers the payment of invoices, as the "Pay" button does (in `odoo shell`).

`args`: `customers` (the apps' ids of who pays), `day` (date of the invoices paid).
"""


def main(env, args):
    links = env["fusion.billing.account.link"].search(
        [("external_id", "in", args["customers"])]
    )
    moves = env["account.move"].search(
        [
            ("partner_id", "in", links.partner_id.ids),
            ("invoice_date", "=", args["day"]),
            ("state", "=", "posted"),
        ]
    )
    for move in moves:
        env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({}).action_create_payments()
    env.cr.commit()


main(env, args)  # noqa: F821 (both are given by the shell)
