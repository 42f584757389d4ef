"""Take lines for days out of the totals of orders, and orders out of the MRR log that

have nothing that recurs.
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    cr.execute(
        """
        UPDATE sale_order_line line
           SET is_days_line = TRUE
          FROM sale_order o, product_product product, product_template template
         WHERE o.id = line.order_id AND product.id = line.product_id
           AND template.id = product.product_tmpl_id
           AND o.plan_id IS NOT NULL
           AND o.subscription_state
               IN ('3_progress', '4_paused', '5_renewed', '6_churn')
           AND template.recurring_invoice AND line.recurring_invoice IS NOT TRUE
           -- Days charged anew, or given back by a change of the plan.
           AND (line.charged_from IS NOT NULL OR line.price_unit < 0)
        RETURNING line.order_id
        """
    )
    order_ids = sorted({order_id for [order_id] in cr.fetchall()})
    env = api.Environment(cr, SUPERUSER_ID, {})
    orders = env["sale.order"].browse(order_ids)
    for name in ("amount_untaxed", "amount_tax", "amount_total"):
        env.add_to_compute(orders._fields[name], orders)
    cr.execute(
        """
        UPDATE sale_order_log
           SET active_change = 0
         WHERE active_change <> 0
           AND NOT EXISTS (
                   SELECT FROM sale_order_line line
                    WHERE line.order_id = sale_order_log.order_id
                      AND line.recurring_invoice AND line.display_type IS NULL)
        """
    )
