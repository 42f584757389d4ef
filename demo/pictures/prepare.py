"""Gives a copy of the demo what its clean month lacks (in `odoo shell`).

A month in which nothing is left to decide shows no held invoice, no finding and no
price that is thought about. All of it is made as people would make it, but for the
finding: nothing in the product can cause one, so the database is changed past it.

`args`: `start`, `end` (of the month, half-open), `login`, `password`, `output` (where
the values of the paths in album.py go).
"""

import json

GROUPS = (
    "fusion_centralized_billing.group_manager",
    "account.group_account_manager",
    "sales_team.group_sale_salesman_all_leads",
)
# A week of deliveries, as the demo's are all of one hour; every ninth was refused.
ATTEMPTS = """
    UPDATE fusion_billing_webhook_attempt
       SET started_at = %(now)s - make_interval(days => id %% 7, mins => id %% 50),
           result = CASE WHEN id %% 9 = 0 THEN 'refused' ELSE result END,
           status = CASE WHEN id %% 9 = 0 THEN 503 ELSE status END
"""
TAMPER = """
    UPDATE fusion_billing_usage SET quantity = quantity + 100
     WHERE id = (SELECT min(id) FROM fusion_billing_usage
                  WHERE subscription_id = %s AND metric_id = %s)
"""


def make_user(env, args):
    env["res.users"].create(
        {
            "name": "Sample Accountant",
            "login": args["login"],
            "password": args["password"],
            "group_ids": [(6, 0, [env.ref(name).id for name in GROUPS])],
        }
    )


def draft_prices(env, plan):
    """Compute hours for 0.045 above 50, in place of 0.0475 above 100."""
    draft = env["fusion.billing.price.draft"].create(
        {"name": "Prices of next year", "plan_ids": [(6, 0, plan.ids)]}
    )
    draft.action_copy_prices()
    hours = draft.charge_ids.filtered(lambda c: c.metric_id.code == "compute_hours")
    hours.write({"included_quota": 50, "price_per_unit": 0.045})
    draft.action_compare()
    return draft


def hold_invoice(env, order, invoice, args):
    """The app declares another total, and the invoice is to be posted again."""
    env.company.fc_hold_differing = True
    invoice.button_draft()
    order.fc_service_id._api_reconcile(
        {
            "subscription_id": order.id,
            "metric_code": "compute_hours",
            "window_start": args["start"],
            "window_end": args["end"],
            "declared_quantity": "2100",
        }
    )
    invoice.action_post()
    assert invoice.state == "draft", "it was not held"


def cause_finding(env, order):
    metric = env["fusion.billing.metric"].search([("code", "=", "map_loads")])
    env.flush_all()
    env.cr.execute(TAMPER, [order.id, metric.id])
    env.invalidate_all()
    env["fusion.billing.audit"]._run()


def main(env, args):
    links = env["fusion.billing.account.link"].search([])
    orders = {
        link.external_id: env["sale.order"].search(
            [("partner_id", "=", link.partner_id.id)]
        )
        for link in links
    }
    invoices = {
        name: order.invoice_ids.sorted("invoice_date")[-1]
        for name, order in orders.items()
    }
    cloud, desk = orders["nexacloud-a"], orders["nexadesk-a"]
    rating = env["fusion.billing.rating"].search(
        [
            ("subscription_id", "=", cloud.id),
            ("metric_id.code", "=", "compute_hours"),
            ("state", "=", "invoiced"),
        ]
    )
    make_user(env, args)
    draft = draft_prices(env, cloud.plan_id)
    hold_invoice(env, orders["nexacloud-b"], invoices["nexacloud-b"], args)
    cause_finding(env, orders["nexamaps-b"])
    env.cr.execute(ATTEMPTS, {"now": env.cr.now()})
    found = {
        "rating": rating.id,
        "control": env["fusion.billing.control"].search([], limit=1).id,
        "accrual": env["fusion.billing.accrual"].search([], limit=1).id,
        "invoice": invoices["nexacloud-a"].id,
        "portal_invoice": invoices["nexacloud-a"].get_portal_url(),
        "portal_subscription": f"/my/subscriptions/{desk.id}"
        f"?access_token={desk._portal_ensure_token()}",
        "customer": cloud.partner_id.id,
        "service": cloud.fc_service_id.id,
        "draft": draft.id,
    }
    env.cr.commit()
    with open(args["output"], "w", encoding="utf-8") as stream:
        json.dump(found, stream)


main(env, args)  # noqa: F821 (both are given by the shell)
