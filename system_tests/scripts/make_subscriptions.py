"""Makes confirmed subscriptions on a monthly plan, the n-th one worth 10 + n a month.

`args`: `count`. They start on the day of the process's clock. Prints their ids.
"""

import json

from odoo.fields import Command


def load_chart_of_accounts(env):
    """Invoices cannot be posted without accounts and journals."""
    if not env.company.chart_template:
        env["account.chart.template"].try_loading(
            "generic_coa", company=env.company, install_demo=False
        )


def make_product(env, **values):
    defaults = {
        "type": "service",
        "invoice_policy": "order",
        "recurring_invoice": True,
        "taxes_id": [Command.clear()],
    }
    return env["product.product"].create(defaults | values)


def main(env, args):
    load_chart_of_accounts(env)
    plan = env.ref("sale_subscription.subscription_plan_month")
    fee = make_product(env, name="Base fee", list_price=10)
    partners = env["res.partner"].create(
        [{"name": f"Customer {number}"} for number in range(args["count"])]
    )
    orders = env["sale.order"].create(
        [
            {
                "partner_id": partner.id,
                "plan_id": plan.id,
                "order_line": [
                    Command.create({"product_id": fee.id, "price_unit": 10 + number})
                ],
            }
            for number, partner in enumerate(partners)
        ]
    )
    orders.action_confirm()
    env.cr.commit()
    print(json.dumps(orders.ids))


main(env, args)  # noqa: F821 (both are given by the shell)
