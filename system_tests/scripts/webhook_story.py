"""Plays all that apps are told of, as apps and people do it, each change committed.

To be run with the clock at 2026-02-01. Prints the id of the subscription.
"""

import json

from odoo.fields import Command


def commit(env):
    env.cr.commit()
    env.invalidate_all()


def make_prices(env):
    """A plan with 100 calls included, and 0.50 for each more."""
    if not env.company.chart_template:
        env["account.chart.template"].try_loading(
            "generic_coa", company=env.company, install_demo=False
        )
    product = {
        "type": "service",
        "invoice_policy": "order",
        "recurring_invoice": True,
        "taxes_id": [Command.clear()],
    }
    fee, calls = env["product.product"].create(
        [
            {**product, "name": "Sample fee", "list_price": 10},
            {**product, "name": "Sample calls"},
        ]
    )
    plan = env.ref("sale_subscription.subscription_plan_month")
    plan.invoice_mail_template_id = False
    metric = env["fusion.billing.metric"].create({"name": "Calls", "code": "calls"})
    env["fusion.billing.charge"].create(
        {
            "plan_id": plan.id,
            "metric_id": metric.id,
            "product_id": calls.id,
            "included_quota": 100,
            "price_per_unit": 0.5,
        }
    )
    return fee, plan


def main(env, args):
    fee, plan = make_prices(env)
    service = env["fusion.billing.service"].search([("code", "=", args["service"])])
    commit(env)

    def call(method, payload):
        answer = getattr(service, method)(payload)
        assert answer["status"] == "ok", answer
        commit(env)
        return answer

    call("_api_upsert_customer", {"external_id": "acc-1", "name": "Sample A"})
    for _time in range(2):
        call("_api_upsert_customer", {"external_id": "acc-1", "name": "Sample B"})
    made = call(
        "_api_create_subscription",
        {
            "external_customer_id": "acc-1",
            "external_id": "workspace-1",
            "plan_id": plan.id,
            "lines": [{"product_id": fee.id, "quantity": 1}],
            "start_date": "2026-01-01",
            "billed_until": "2026-01-01",
        },
    )
    order = env["sale.order"].browse(made["subscription_id"])
    order.write({"last_invoice_date": "2026-01-01", "next_invoice_date": "2026-02-01"})
    order.subscription_state = "4_paused"
    commit(env)
    order.subscription_state = "3_progress"
    commit(env)
    event = {
        "subscription_external_id": "workspace-1",
        "metric_code": "calls",
        "quantity": 150,
        "period_start": "2026-01-10T09:00:00Z",
        "period_end": "2026-01-10T10:00:00Z",
        "idempotency_key": "workspace-1-1",
    }
    call("_api_record_usage", {"events": [event]})
    order._fc_rate_usage()
    commit(env)
    env["sale.order"]._cron_recurring_create_invoice()
    commit(env)
    [invoice] = order.invoice_ids
    assert invoice.state == "posted" and invoice.amount_total == 35, invoice
    env["account.payment.register"].with_context(
        active_model="account.move", active_ids=invoice.ids
    ).create({})._create_payments()
    commit(env)
    credit = invoice._reverse_moves([{"invoice_date": "2026-02-01"}])
    credit.action_post()
    commit(env)
    credit.button_draft()
    credit.button_cancel()
    commit(env)
    call(
        "_api_reconcile",
        {
            "subscription_external_id": "workspace-1",
            "metric_code": "calls",
            "window_start": "2026-01-01T00:00:00Z",
            "window_end": "2026-02-01T00:00:00Z",
            "declared_quantity": "149",
        },
    )
    service.action_send_test_webhook()
    commit(env)
    print(json.dumps({"order": order.id, "invoice": invoice.id}))


main(env, args)  # noqa: F821 (both are given by the shell)
