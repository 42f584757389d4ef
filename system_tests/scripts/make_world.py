"""Makes one of everything a database with subscriptions holds, in January to March.

Begins on the clock's day (15 January 2026), confirms, and makes what happens later with
the clock set there. Prints ids by name.
"""

import json

from freezegun import freeze_time

from odoo.fields import Command

CASES = ("running", "paused", "closed", "drafted", "renewed", "upsold", "quotation")


def load_chart_of_accounts(env):
    """Invoices cannot be posted without accounts and journals."""
    if not env.company.chart_template:
        env["account.chart.template"].try_loading(
            "generic_coa", company=env.company, install_demo=False
        )


def make_orders(env, fee):
    plan = env.ref("sale_subscription.subscription_plan_month")
    orders = {
        name: env["sale.order"].create(
            {
                "partner_id": env["res.partner"].create({"name": name}).id,
                "plan_id": plan.id,
                "order_line": [Command.create({"product_id": fee.id})],
            }
        )
        for name in CASES
    }
    orders["drafted"].plan_id = plan.copy({"invoice_posting": "draft"})
    for name in CASES[:-1]:
        orders[name].action_confirm()
    return orders


def make_product(env, **values):
    defaults = {
        "type": "service",
        "invoice_policy": "order",
        "list_price": 10.0,
        "taxes_id": [Command.clear()],
    }
    return env["product.product"].create(defaults | values)


def run_jobs(env):
    env["sale.order"]._cron_recurring_create_invoice()
    env["sale.order"]._cron_subscription_expiration()


def main(env):
    load_chart_of_accounts(env)
    fee = make_product(env, name="Base fee", recurring_invoice=True)
    chair = make_product(env, name="Chair")
    orders = make_orders(env, fee)
    run_jobs(env)
    with freeze_time("2026-02-01"):
        orders["paused"].pause_subscription()
        reason = env.ref("sale_subscription.close_reason_no_need")
        orders["closed"].set_close(reason.id)
        upsell = orders["upsold"]._create_upsell_renew_order("7_upsell")
        upsell.order_line.product_uom_qty = 2
        upsell.action_confirm()
        renewal = orders["renewed"]._create_upsell_renew_order("2_renewal")
        renewal.action_confirm()
    with freeze_time("2026-02-20"):
        run_jobs(env)
    env["sale.order.template"].create(
        {"name": "Template", "plan_id": orders["running"].plan_id.id}
    )
    # a price of the plan alone, on no price list; of one that somebody made, as those
    # of the module go away by themselves
    env["product.pricelist.item"].create(
        {
            "plan_id": orders["drafted"].plan_id.id,
            "applied_on": "1_product",
            "product_tmpl_id": fee.product_tmpl_id.id,
            "compute_price": "fixed",
            "fixed_price": 8.0,
        }
    )
    # an ordinary order beside them
    plain = env["sale.order"].create(
        {
            "partner_id": env["res.partner"].create({"name": "plain"}).id,
            "order_line": [Command.create({"product_id": chair.id})],
        }
    )
    plain.action_confirm()
    plain._create_invoices().action_post()
    env.cr.commit()
    print(json.dumps({name: order.id for name, order in orders.items()}))


main(env)  # noqa: F821 (given by the shell)
