from odoo.fields import Domain

from odoo.addons.sale_subscription.models.base.quiet import write_quietly


def post_init_hook(env):
    """Deliver from the next period on what ran before.

    What was charged until now was delivered once, or by hand: nobody may find a year
    of parcels in the warehouse because a module was installed.
    """
    lines = env["sale.order.line"].search(
        Domain("order_id.last_invoice_date", "!=", False)
        & Domain("order_id.is_subscription", "=", True)
    )
    for line in lines.filtered(lambda line: line._is_delivered_each_period()):
        write_quietly(
            line,
            {
                "procured_until": line.order_id.next_invoice_date,
                "procured_quantity": line.product_uom_qty,
            },
        )
