"""Reads what Odoo made of the month, for comparison, and writes it as JSON.

`args`: `output`, the file to write; `start` and `end`, the first and last day of the
month; `accounts`, codes of those that usage is followed to. Quantities and amounts are
decimal text, read with SQL, since the ORM gives numbers back as floats.
"""

import json

RATINGS = """
    SELECT l.external_id AS customer, m.code AS metric, r.window_start::date::text,
           r.state, r.quantity::text, r.amount::text
      FROM fusion_billing_rating r
      JOIN sale_order o ON o.id = r.subscription_id
      JOIN fusion_billing_account_link l
        ON l.partner_id = o.partner_id AND l.service_id = o.fc_service_id
      JOIN fusion_billing_metric m ON m.id = r.metric_id
     ORDER BY o.id, m.code, r.window_start, r.revision
"""
WEBHOOKS = """
    SELECT w.event_id, w.event_type, s.code AS app, w.state, w.attempts
      FROM fusion_billing_webhook w JOIN fusion_billing_service s ON s.id = w.service_id
     ORDER BY w.id
"""
STORED = """
    SELECT s.code AS app, count(*) AS events,
           count(*) FILTER (WHERE u.unallocated) AS unallocated
      FROM fusion_billing_usage u JOIN fusion_billing_service s ON s.id = u.service_id
     GROUP BY s.code
"""
CONTROL = """
    SELECT s.code AS app, l.external_id AS customer, m.code AS metric, t.state,
           t.is_declared, t.declared_quantity::text, t.accepted_quantity::text,
           t.unallocated_quantity::text, t.rated_quantity::text,
           t.rated_amount::text, t.posted_amount::text, t.journal_balance::text
      FROM fusion_billing_control_line t
      JOIN fusion_billing_service s ON s.id = t.service_id
      JOIN fusion_billing_metric m ON m.id = t.metric_id
      JOIN sale_order o ON o.id = t.subscription_id
      JOIN fusion_billing_account_link l
        ON l.partner_id = o.partner_id AND l.service_id = o.fc_service_id
     WHERE t.control_id = %s ORDER BY s.code, m.code, l.external_id
"""
# The trial balance of an account: at the end of the month, and with all after it.
BALANCE = """
    SELECT coalesce(sum(l.balance) FILTER (WHERE l.date <= %s), 0)::text AS month_end,
           coalesce(sum(l.balance), 0)::text AS now
      FROM account_move_line l
     WHERE l.parent_state = 'posted' AND l.account_id = %s
"""


def read_control(env, args):
    """The control totals of the month, kept for the browser."""
    control = env["fusion.billing.control"].create(
        {"date_start": args["start"], "date_end": args["end"]}
    )
    control.action_compute()
    env.flush_all()
    lines = read(env, CONTROL, control.id)
    balances = {}
    for name, code in args["accounts"].items():
        account = env["account.account"].search([("code", "=", code)])
        [balances[name]] = read(env, BALANCE, args["end"], account.id)
    env.cr.commit()
    return {"lines": lines, "balances": balances}


def read(env, query, *values):
    env.cr.execute(query, values)
    return env.cr.dictfetchall()


def read_invoice(move):
    """One invoice: its base fee and its usage lines, by metric."""
    order = move.invoice_line_ids.sale_line_ids.order_id
    link = order.partner_id.fc_account_link_ids
    lines = []
    for line in move.invoice_line_ids:
        if line.display_type != "product":
            continue
        charge = line.sale_line_ids.fc_charge_id
        lines.append(
            {
                "metric": charge.metric_id.code or "",
                "text": line.name,
                "amount": f"{line.price_subtotal:.2f}",
            }
        )
    return {
        "number": move.name,
        "state": move.state,
        "day": str(move.invoice_date),
        "customer": link.external_id,
        "name": move.partner_id.name,
        "currency": move.currency_id.name,
        "lines": lines,
        "untaxed": f"{move.amount_untaxed:.2f}",
        "tax": f"{move.amount_tax:.2f}",
        "total": f"{move.amount_total:.2f}",
        "paid": move.payment_state in ("in_payment", "paid"),
    }


def main(env, args):
    moves = env["account.move"].search(
        [("move_type", "in", ("out_invoice", "out_refund"))],
        order="invoice_date, name, id",
    )
    problems = env["sale.order"].search([("fc_rating_error", "!=", False)])
    with open(args["output"], "w", encoding="utf-8") as stream:
        json.dump(
            {
                "ratings": read(env, RATINGS),
                "webhooks": read(env, WEBHOOKS),
                "control": read_control(env, args),
                "stored": {row.pop("app"): row for row in read(env, STORED)},
                "invoices": [read_invoice(move) for move in moves],
                "problems": [f"{o.name}: {o.fc_rating_error}" for o in problems],
            },
            stream,
        )


main(env, args)  # noqa: F821 (both are given by the shell)
