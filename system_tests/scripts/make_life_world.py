"""Makes what random programs play with: plans, prices, customers, two currencies."""

import sys
from pathlib import Path

from odoo.fields import Command

sys.path.append(str(Path(__file__).resolve().parents[2]))

from system_tests.life.generator import charges
from system_tests.life.ledger import METRICS

RATE = 0.8  # euros for a dollar, from the beginning of 2025 on


def make_product(env, name, price=0.0):
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


def make_money(env):
    if not env.company.chart_template:
        env["account.chart.template"].try_loading(
            "generic_coa", company=env.company, install_demo=False
        )
    euro = env.ref("base.EUR")
    euro.active = True
    euro.rate_ids.unlink()
    euro.rate_ids.create(
        {
            "currency_id": euro.id,
            "name": "2025-01-01",
            "rate": RATE,
            "company_id": env.company.id,
        }
    )
    currencies = {"USD": env.company.currency_id, "EUR": euro}
    for name, currency in currencies.items():
        env["product.pricelist"].create({"name": name, "currency_id": currency.id})
    return currencies


def make_plans(env):
    return {
        name: env["sale.subscription.plan"].create(
            {
                "name": name,
                "billing_period_value": 1,
                "billing_period_unit": "month",
                "invoice_posting": "post",
            }
        )
        for name in "AB"
    }


def make_charges(env, plans, currencies):
    metrics, products = {}, {}
    for code, aggregation in METRICS.items():
        metrics[code] = env["fusion.billing.metric"].create(
            {"name": code, "code": code, "aggregation": aggregation}
        )
        products[code] = make_product(env, f"Used {code}")
    for charge in charges():
        terms = charge.terms
        env["fusion.billing.charge"].create(
            {
                "plan_id": plans[charge.plan].id,
                "metric_id": metrics[charge.metric].id,
                "product_id": products[charge.metric].id,
                "currency_id": currencies[terms.currency].id,
                "charge_model": terms.model,
                "price_per_unit": float(terms.price),
                "included_quota": float(terms.quota),
                "unit_batch": float(terms.batch),
                "minimum_amount": float(terms.minimum),
            }
        )


def make_customers(env):
    service = env["fusion.billing.service"].create({"name": "Life", "code": "life"})
    for name in ("first", "second"):
        partner = env["res.partner"].create({"name": f"Customer {name}"})
        env["fusion.billing.account.link"].create(
            {
                "service_id": service.id,
                "external_id": name,
                "partner_id": partner.id,
            }
        )


def main(env):
    env = env(context=dict(env.context, tracking_disable=True))
    currencies = make_money(env)
    make_charges(env, make_plans(env), currencies)
    make_product(env, "Base fee", 10)
    make_customers(env)
    env.cr.commit()


main(env)  # noqa: F821 (given by the shell)
