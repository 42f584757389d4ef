"""Makes one invoice, from nothing: a price, a subscription, a month of usage.

Begins on 15 January 2026, as its clock says. Prints the amounts of the invoice, and the
folders that the modules were loaded from, as JSON.
"""

import json
from datetime import datetime

from freezegun import freeze_time

from odoo.fields import Command
from odoo.modules.module import Manifest

MODULES = ("fusion_centralized_billing", "sale_subscription")


def make_product(env, name, price):
    return env["product.product"].create(
        {
            "name": name,
            "type": "service",
            "invoice_policy": "order",
            "recurring_invoice": True,
            "list_price": price,
            "taxes_id": [Command.clear()],
        }
    )


def subscribe(env):
    plan = env.ref("sale_subscription.subscription_plan_month")
    metric = env["fusion.billing.metric"].create({"name": "Calls", "code": "calls"})
    env["fusion.billing.charge"].create(
        {
            "plan_id": plan.id,
            "metric_id": metric.id,
            "product_id": make_product(env, "API calls", 0.0).id,
            "charge_model": "standard",
            "included_quota": 100,
            "price_per_unit": 0.5,
            "currency_id": env.company.currency_id.id,
        }
    )
    order = env["sale.order"].create(
        {
            "partner_id": env["res.partner"].create({"name": "Sample Customer"}).id,
            "plan_id": plan.id,
            "order_line": [
                Command.create({"product_id": make_product(env, "Base fee", 10.0).id})
            ],
        }
    )
    order.action_confirm()
    return order


def main(env):
    env["account.chart.template"].try_loading(
        "generic_coa", company=env.company, install_demo=False
    )
    order = subscribe(env)
    order._create_invoices().action_post()  # the fee of the first month
    moment = datetime(2026, 1, 20)
    with freeze_time("2026-01-21"):
        env["fusion.billing.usage"]._record_usage(order, "calls", 150, moment, moment)
    with freeze_time("2026-02-15"):
        invoice = order._create_invoices()
        invoice.action_post()
    env.cr.commit()
    folders = {name: str(Manifest.for_addon(name).path) for name in MODULES}
    amounts = sorted(invoice.invoice_line_ids.mapped("price_subtotal"))
    print(json.dumps({"amounts": amounts, "folders": folders}))


main(env)  # noqa: F821 (given by the shell)
