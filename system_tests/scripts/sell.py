"""Makes, confirms, invoices and posts an ordinary order. Prints the invoice."""

import json

from odoo.fields import Command


def main(env):
    product = env["product.product"].create(
        {
            "name": "Table",
            "type": "service",
            "invoice_policy": "order",
            "list_price": 70.0,
            "taxes_id": [Command.clear()],
        }
    )
    order = env["sale.order"].create(
        {
            "partner_id": env["res.partner"].create({"name": "Buyer"}).id,
            "order_line": [Command.create({"product_id": product.id})],
        }
    )
    order.action_confirm()
    move = order._create_invoices()
    move.action_post()
    env.cr.commit()
    print(json.dumps([move.state, move.amount_total, order.invoice_status]))


main(env)  # noqa: F821 (given by the shell)
