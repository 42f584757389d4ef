"""Reads what Odoo made of the month, for comparison, and writes it as JSON.

`args`: `output`, the file to write. Quantities and amounts are decimal text, read with
SQL, since the ORM gives numbers back as floats.
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


def read(env, query):
    env.cr.execute(query)
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
                "stored": {row.pop("app"): row for row in read(env, STORED)},
                "invoices": [read_invoice(move) for move in moves],
                "problems": [f"{o.name}: {o.fc_rating_error}" for o in problems],
            },
            stream,
        )


main(env, args)  # noqa: F821 (both are given by the shell)
