"""Makes subscriptions and opens their first window, a month, by its invoice.

In the world of make_api_world.py; to be run with the clock where they begin.
`args`: `count`. Prints their ids, by the names the app knows them by.
"""

import json

from odoo.fields import Command


def main(env, args):
    service = env["fusion.billing.service"].search([("code", "=", "app")])
    fee = env["product.product"].search([("name", "=", "Base fee")])
    plan = env.ref("sale_subscription.subscription_plan_month")
    plan.invoice_mail_template_id = False
    names = [f"closing-{number}" for number in range(args["count"])]
    partners = env["res.partner"].create([{"name": name} for name in names])
    env["fusion.billing.account.link"].create(
        [
            {
                "service_id": service.id,
                "external_id": partner.name,
                "partner_id": partner.id,
            }
            for partner in partners
        ]
    )
    orders = env["sale.order"].create(
        [
            {
                "partner_id": partner.id,
                "plan_id": plan.id,
                "fc_service_id": service.id,
                "fc_external_id": partner.name,
                "order_line": [Command.create({"product_id": fee.id})],
            }
            for partner in partners
        ]
    )
    orders.action_confirm()
    env.cr.commit()
    env["sale.order"]._cron_recurring_create_invoice()
    env.cr.commit()
    print(json.dumps({order.fc_external_id: order.id for order in orders}))


main(env, args)  # noqa: F821 (both are given by the shell)
