"""Makes what stories are played on: two subscriptions with a price for usage.

One metric of each aggregation, and one without a price. To be run with the clock on 1
January 2026, when the first invoices open the windows.
"""

from odoo.fields import Command

METRICS = {
    "calls": ("sum", {"included_quota": 100, "price_per_unit": 0.5}),
    "jobs": (
        "count",
        {"charge_model": "package", "unit_batch": 3, "price_per_unit": 1.25},
    ),
    "peak": ("max", {"included_quota": 40, "price_per_unit": 0.035}),
    "level": (
        "last",
        {
            "charge_model": "volume",
            "unit_batch": 7,
            "tier_ids": [(50, 1, 0), (0, 0.5, 3)],
        },
    ),
    "users": (
        "unique",
        {"included_quota": 1, "price_per_unit": 3, "minimum_amount": 2.5},
    ),
    "free": ("sum", None),
}


def make_product(env, name, price=0.0, recurring=True):
    return env["product.product"].create(
        {
            "name": name,
            "type": "service",
            "invoice_policy": "order",
            "recurring_invoice": recurring,
            "list_price": price,
            "taxes_id": [Command.clear()],
        }
    )


def make_charges(env, plan):
    for code, (aggregation, terms) in METRICS.items():
        metric = env["fusion.billing.metric"].create(
            {"name": code, "code": code, "aggregation": aggregation}
        )
        if terms:
            env["fusion.billing.charge"].create(
                {
                    "plan_id": plan.id,
                    "metric_id": metric.id,
                    "product_id": make_product(env, f"Used {code}").id,
                    **terms,
                    "tier_ids": [
                        Command.create(
                            {"up_to": up_to, "price_per_unit": price, "flat_fee": fee}
                        )
                        for up_to, price, fee in terms.get("tier_ids", ())
                    ],
                }
            )


def make_orders(env, plan, fee):
    service = env["fusion.billing.service"].create({"name": "App", "code": "app"})
    for name in ("a", "b"):
        partner = env["res.partner"].create({"name": f"Customer {name}"})
        env["fusion.billing.account.link"].create(
            {
                "service_id": service.id,
                "external_id": name,
                "partner_id": partner.id,
            }
        )
        order = env["sale.order"].create(
            {
                "partner_id": partner.id,
                "plan_id": plan.id,
                "fc_service_id": service.id,
                "fc_external_id": name,
                "order_line": [Command.create({"product_id": fee.id})],
            }
        )
        order.action_confirm()
    # ended only by the test that does so
    plan.auto_close_limit = 10_000


def main(env):
    env = env(context=dict(env.context, tracking_disable=True))
    if not env.company.chart_template:
        env["account.chart.template"].try_loading(
            "generic_coa", company=env.company, install_demo=False
        )
    env.company.fc_billing_tz = "Europe/Brussels"
    plan = env.ref("sale_subscription.subscription_plan_month")
    plan.invoice_mail_template_id = False
    make_charges(env, plan)
    make_product(env, "Chair", 70, recurring=False)
    make_orders(env, plan, make_product(env, "Base fee", 10))
    env.cr.commit()
    env["sale.order"]._cron_recurring_create_invoice()
    env.cr.commit()


main(env)  # noqa: F821 (given by the shell)
