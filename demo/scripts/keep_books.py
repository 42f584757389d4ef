"""What an accountant does on the first day after the month (in `odoo shell`).

Registers payments of customers, as the "Pay" button does, and accrues the usage that
was not invoiced by the end of the month.

`args`: `customers` (the apps' ids of who pays), `paid` (date of the invoices paid),
`until` (last day that is accrued), `account` (code of the account that is owed to).
"""


def pay(env, args):
    links = env["fusion.billing.account.link"].search(
        [("external_id", "in", args["customers"])]
    )
    moves = env["account.move"].search(
        [
            ("partner_id", "in", links.partner_id.ids),
            ("invoice_date", "=", args["paid"]),
            ("state", "=", "posted"),
        ]
    )
    for move in moves:
        env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({}).action_create_payments()


def accrue(env, args):
    account = env["account.account"].search([("code", "=", args["account"])])
    wizard = env["fusion.billing.accrual.wizard"].create({"account_id": account.id})
    assert str(wizard.date) == args["until"], wizard.date
    shown = wizard.action_preview()
    env[shown["res_model"]].browse(shown["res_id"]).action_post_entries()


def main(env, args):
    pay(env, args)
    accrue(env, args)
    env.cr.commit()


main(env, args)  # noqa: F821 (both are given by the shell)
