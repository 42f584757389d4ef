"""Begin the MRR log of what runs already, and count MRR by its present definition."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    orders = env["sale.order"].search([("plan_id", "!=", False)])
    env.add_to_compute(orders._fields["recurring_monthly"], orders)
    for order in orders.filtered(lambda o: o.subscription_state == "3_progress"):
        if not order.sale_order_log_ids:
            order._log_mrr("new")
            if order.start_date:
                order.sale_order_log_ids.event_date = order.start_date
