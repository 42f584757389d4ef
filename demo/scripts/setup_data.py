"""Makes the demo's services, metrics, products, plans and charges (in `odoo shell`).

`args`: `apps` and `accounts` (see catalog.py), `receiver` (URL without the app's name),
`secrets` (app -> webhook secret), `keys_file` (where the API keys and ids go).
"""

import json
import os

TAX_NAME = "Sample tax 15%"


def load_chart_of_accounts(env, company):
    """Invoices cannot be posted without accounts and journals."""
    if not company.chart_template:
        env["account.chart.template"].try_loading(
            "generic_coa", company=company, install_demo=False
        )
    company.tax_calculation_rounding_method = "round_per_line"


def make_tax(env, company, account):
    """The tax on all that is sold.

    :param account: what is owed of it; without one it would be revenue
    """
    tax = env["account.tax"].create(
        {
            "name": TAX_NAME,
            "amount": 15,
            "type_tax_use": "sale",
            "company_id": company.id,
        }
    )
    lines = tax.invoice_repartition_line_ids | tax.refund_repartition_line_ids
    lines.filtered(lambda x: x.repartition_type == "tax").account_id = account
    return tax


def make_accounts(env, codes):
    """Usage has accounts of its own, so that the trial balance tells what it brought.

    :param codes: those of catalog.ACCOUNTS
    :return: the same names -> account
    """
    kinds = {
        "revenue": ("Usage", "income"),
        "accrued": ("Accrued usage", "asset_current"),
        "tax": ("Tax payable", "liability_current"),
    }
    return {
        key: env["account.account"].create(
            {"name": name, "code": codes[key], "account_type": kind}
        )
        for key, (name, kind) in kinds.items()
    }


def make_product(env, name, price, tax, **values):
    return env["product.product"].create(
        values
        | {
            "name": name,
            "type": "service",
            "invoice_policy": "order",
            "recurring_invoice": True,
            "list_price": price,
            "taxes_id": [(6, 0, tax.ids)],
        }
    )


def make_app(env, app, tax, revenue, webhook):
    """Make all of one app; return its key and ids, for the simulator.

    :param revenue: the account of usage
    :param webhook: values of the service
    """
    plan = env["sale.subscription.plan"].create(
        {
            "name": app["plan"],
            "billing_period_value": 1,
            "billing_period_unit": "month",
        }
    )
    for charge in app["charges"]:
        metric = env["fusion.billing.metric"].create(
            {
                "name": charge["name"],
                "code": charge["metric"],
                "aggregation": charge["aggregation"],
                "unit_name": charge["unit"],
            }
        )
        env["fusion.billing.charge"].create(
            {
                "plan_id": plan.id,
                "plan_code": app["code"],
                "metric_id": metric.id,
                "product_id": make_product(
                    env,
                    f"{app['name']} {charge['name'].lower()}",
                    *(0, tax),
                    property_account_income_id=revenue.id,
                ).id,
                "charge_model": charge["model"],
                "included_quota": float(charge["quota"]),
                "price_per_unit": float(charge["price"]),
                "unit_batch": float(charge["batch"]),
            }
        )
    service = env["fusion.billing.service"].create(
        webhook | {"name": app["name"], "code": app["code"]}
    )
    base_fee = make_product(env, f"{app['name']} base fee", float(app["base_fee"]), tax)
    return {
        "key": service.action_generate_api_key(),
        "plan_id": plan.id,
        "product_id": base_fee.id,
    }


def main(env, args):
    company = env.company
    load_chart_of_accounts(env, company)
    accounts = make_accounts(env, args["accounts"])
    tax = make_tax(env, company, accounts["tax"])
    made = {}
    for app in args["apps"]:
        webhook = {
            "webhook_url": f"{args['receiver']}/{app['code']}",
            "webhook_secret": args["secrets"][app["code"]],
        }
        made[app["code"]] = make_app(env, app, tax, accounts["revenue"], webhook)
    # the file holds keys: nobody else on this machine may read it
    descriptor = os.open(
        args["keys_file"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
    )
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(
            {
                "apps": made,
                "currency": company.currency_id.name,
                "tax_percent": str(int(tax.amount)),
            },
            stream,
        )
    env.cr.commit()


main(env, args)  # noqa: F821 (both are given by the shell)
