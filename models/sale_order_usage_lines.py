from odoo import models

from .subscription.sections import read_again_in_order, sequence_for_usage
from .usage_text import UsageText


class SaleOrder(models.Model):
    """Open amounts on the lines of subscriptions, and from there onto invoices."""

    _inherit = "sale.order"

    def _fc_update_lines(self, ratings):
        """Carry the open amounts to the usage lines, one line for each charge.

        Several windows of one charge (an earlier one reopened, and the current
        one) add up on its line. A line is made for an amount only, but an
        existing line follows its amount down to 0.

        Nothing of this is told in the chatter: what has been used so far changes by
        the hour.
        """
        Line = self.env["sale.order.line"].sudo().with_context(fc_rating=True)
        # Read together, not order by order when its total is computed.
        self.order_line.mapped("tax_ids")
        orders = {order.id: order for order in self}
        lines = {
            (line.order_id.id, line.fc_charge_id.id): line
            for line in Line.search(
                [("order_id", "in", self.ids), ("fc_charge_id", "!=", False)]
            )
        }
        groups = ratings.sorted("window_start").grouped(
            lambda r: (r.subscription_id.id, r.charge_id.id)
        )
        to_set, to_create, text = {}, [], UsageText()
        for key, group in groups.items():
            order, charge = orders[key[0]], group.charge_id
            amount = order.currency_id.round(sum(group.mapped("amount")))
            line = lines.pop(key, None)
            # A window that came to nothing is no news beside one that did not.
            told = group.filtered("amount") or group
            if line:
                to_set[line] = amount, text.describe(order, told)
                line._fc_link(group)
            elif amount:
                to_create.append(
                    {
                        "order_id": order.id,
                        "product_id": charge.product_id.id,
                        "fc_charge_id": charge.id,
                        "name": text.describe(order, told),
                        "sequence": sequence_for_usage(order),
                        "product_uom_qty": 1.0,
                        "price_unit": amount,
                        "technical_price_unit": amount,
                        "discount": 0.0,
                    }
                )
        Line._fc_set_amounts(to_set)
        Line.concat(*lines.values())._fc_reset()
        Distribution = self.env["account.analytic.distribution.model"].sudo()
        Line = Line.with_context(
            sale_no_log_for_new_lines=True,
            fc_no_distributions=bool(to_create)
            and not Distribution.search([], limit=1),
        )
        for line in Line.create(to_create):
            line._fc_link(groups[line.order_id.id, line.fc_charge_id.id])
        read_again_in_order(self.browse({vals["order_id"] for vals in to_create}))
        # Computed now, as the context says whether a new total is tracked.
        self.with_context(mail_notrack=True).mapped("amount_total")

    def _fc_invoiced(self, moves):
        """Settle the ratings that went on these invoices; their lines restart at 0."""
        open_ratings = self._fc_open_ratings()
        open_ratings._invoice(moves.sudo())
        self._fc_update_lines(open_ratings.filtered(lambda r: r.state == "open"))
