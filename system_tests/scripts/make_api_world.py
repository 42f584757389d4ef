"""Makes what the API is tested with: source apps, customers, subscriptions.

Two apps, `app` and `other`, each with customers and subscriptions of its own; one whose
key has expired, one whose key was revoked, one that is archived, one that may send
little; a second company. Prints keys, subscription ids and other ids, as JSON.
"""

import json
from datetime import timedelta

from odoo import fields
from odoo.fields import Command

LITERAL = "50%_o'ff\\\"; --"  # in names: nothing but the characters themselves
DAYS = 20  # how long the subscriptions have run
SUBSCRIPTIONS = ("sub-1", "sub-2", "sub-3", "sub-4", LITERAL, "4711")


def load_chart_of_accounts(env):
    """Invoices cannot be posted without accounts and journals."""
    if not env.company.chart_template:
        env["account.chart.template"].try_loading(
            "generic_coa", company=env.company, install_demo=False
        )


def make_product(env, name, price, recurring=True):
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


def make_service(env, code, **values):
    return env["fusion.billing.service"].create({"name": code, "code": code, **values})


def make_customer(env, name, service=None):
    company = service.company_id if service else env.company
    partner = env["res.partner"].create({"name": name, "company_id": company.id})
    if service:
        env["fusion.billing.account.link"].create(
            {
                "service_id": service.id,
                "external_id": name,
                "partner_id": partner.id,
            }
        )
    return partner


def make_order(env, partner, plan, product, **values):
    start = fields.Date.today() - timedelta(days=DAYS)
    order = env["sale.order"].create(
        {
            "partner_id": partner.id,
            "plan_id": plan and plan.id,
            "order_line": [Command.create({"product_id": product.id})],
            **({"start_date": start} if plan else {}),
            **values,
        }
    )
    order.action_confirm()
    return order


def make_charges(env, plan):
    metrics = env["fusion.billing.metric"].create(
        [
            {"name": "Calls", "code": "calls"},
            {"name": "Storage", "code": "storage"},
            {"name": "Users", "code": "users", "aggregation": "unique"},
            {"name": "Literal", "code": LITERAL},
            {"name": "Old", "code": "old", "active": False},
        ]
    )
    env["fusion.billing.charge"].create(
        [
            {
                "plan_id": plan.id,
                "plan_code": "monthly",
                "metric_id": metric.id,
                "product_id": make_product(env, f"Used {metric.name}", 0).id,
                "charge_model": "standard",
                "included_quota": 0,
                "price_per_unit": 1,
                "unit_batch": 1,
            }
            for metric in metrics[:2]
        ]
    )


def make_keys(env, services):
    keys = {
        code: service.action_generate_api_key() for code, service in services.items()
    }
    key = env["fusion.billing.api.key"]
    past = fields.Datetime.now() - timedelta(minutes=1)
    key.search([("service_id", "=", services["expired"].id)]).expires_at = past
    services["revoked"].action_revoke_api_key()
    services["archived"].active = False
    return keys


def main(env):
    env = env(context=dict(env.context, tracking_disable=True))
    load_chart_of_accounts(env)
    plan = env.ref("sale_subscription.subscription_plan_month")
    fee = make_product(env, "Base fee", 10)
    make_charges(env, plan)
    services = {
        code: make_service(env, code, **values)
        for code, values in {
            # the tests send more than any app is meant to
            "app": {"rate_limit": 0},
            "other": {"rate_limit": 0},
            "expired": {},
            "revoked": {},
            "archived": {},
            "slow": {"rate_limit": 60},
        }.items()
    }
    app = services["app"]
    orders = {}
    for number, name in enumerate(SUBSCRIPTIONS):
        customer = make_customer(env, f"customer-{number}", app)
        orders[name] = make_order(
            env, customer, plan, fee, fc_service_id=app.id, fc_external_id=name
        )
    theirs = make_customer(env, "their-customer", services["other"])
    orders["theirs"] = make_order(
        env,
        theirs,
        plan,
        fee,
        fc_service_id=services["other"].id,
        fc_external_id="their-sub",
    )
    orders["unlinked"] = make_order(env, make_customer(env, "Stranger"), plan, fee)
    ours = orders["sub-1"].partner_id
    table = make_product(env, "Table", 70, recurring=False)
    orders["plain"] = make_order(env, ours, None, table)
    abroad = env["res.company"].create({"name": "Abroad"})
    env.user.company_ids |= abroad
    foreign = env(context=dict(env.context, allowed_company_ids=[abroad.id]))
    shared = make_customer(env, "shared-customer", app)
    shared.company_id = False
    orders["abroad"] = make_order(
        foreign, shared.with_env(foreign), plan.with_env(foreign), fee
    )
    keys = make_keys(env, services)
    env.cr.commit()
    print(
        json.dumps(
            {
                "keys": keys,
                "orders": {name: order.id for name, order in orders.items()},
                "services": {code: service.id for code, service in services.items()},
                "plan": plan.id,
                "fee": fee.id,
                "literal": LITERAL,
            }
        )
    )


main(env)  # noqa: F821 (given by the shell)
