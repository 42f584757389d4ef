from odoo import api, models

from ..subscription.sections import read_again_in_order, sequence_for_usage
from .text import UsageText


class FusionBillingOrderLines(models.AbstractModel):
    """What the next invoice will bill, on the usage lines of subscriptions."""

    _name = "fusion.billing.order.lines"
    _description = "Usage Lines of Subscriptions"

    @api.model
    def _update(self, orders):
        """Carry the open amounts to the usage lines, one line for each charge.

        Several windows of one charge (late usage of an earlier one, and the current
        one) add up on its line. A line is made for an amount only, but an existing
        line follows its amount down to 0.

        Nothing of this is told in the chatter: what has been used so far changes by
        the hour.
        """
        self, orders = self.sudo(), orders.sudo()
        ratings = orders._fc_open_ratings()._fc_billed_now()
        ratings._fc_read_together()
        Line = self.env["sale.order.line"].sudo().with_context(fc_rating=True)
        # Read together, not order by order when its total is computed.
        orders.order_line.mapped("tax_ids")
        lines = {
            (line.order_id.id, line.fc_charge_id.id): line
            for line in Line.search(
                [("order_id", "in", orders.ids), ("fc_charge_id", "!=", False)]
            )
        }
        groups = ratings.sorted("window_start").grouped(
            lambda r: (r.subscription_id.id, r.charge_id.id)
        )
        by_id = {order.id: order for order in orders}
        to_set, to_create, text = {}, [], UsageText()
        for key, group in groups.items():
            order, line = by_id[key[0]], lines.pop(key, None)
            amount = order.currency_id.round(sum(group.mapped("amount")))
            # A window that came to nothing is no news beside one that did not.
            name = text.describe(order, group.filtered("amount") or group)
            if line:
                self._follow_product(line, group[-1].product_id)
                price = self._price(order, line.product_id, amount, line.discount)
                to_set[line] = price, name
                line._fc_link(group)
            elif amount:
                to_create.append(self._new_line(order, group, amount, name))
        Line._fc_set_amounts(to_set)
        Line.concat(*lines.values())._fc_reset()
        self._create(Line, to_create, groups)
        # Computed now, as the context says whether a new total is tracked.
        orders.with_context(mail_notrack=True).mapped("amount_total")

    def _follow_product(self, line, product):
        """Take over another product of the charge, where Odoo allows it.

        What is invoiced already keeps its own; invoice lines have theirs in any case.
        """
        if line.product_id != product and not line.order_id.locked:
            if line.product_updatable:
                line.product_id = product

    def _price(self, order, product, amount, discount):
        """The unit price at which a line comes to an amount, its discount included."""
        share = 1 - (discount or 0) / 100
        gross = amount / share if share else amount
        return self.env["fusion.billing.rates"]._adapt(order, product, gross)

    def _new_line(self, order, ratings, amount, name):
        product = ratings[-1].product_id
        price = self._price(order, product, amount, order.fc_usage_discount)
        return {
            "order_id": order.id,
            "product_id": product.id,
            "fc_charge_id": ratings.charge_id.id,
            "name": name,
            "sequence": sequence_for_usage(order),
            "product_uom_qty": 1.0,
            "price_unit": price,
            "technical_price_unit": price,
            "discount": order.fc_usage_discount,
        }

    def _create(self, Line, values, groups):
        if values:
            Distribution = self.env["account.analytic.distribution.model"]
            Line = Line.with_context(**Distribution._fc_context())
        Line = Line.with_context(sale_no_log_for_new_lines=True)
        for line in Line.create(values):
            line._fc_link(groups[line.order_id.id, line.fc_charge_id.id])
        orders = self.env["sale.order"].sudo()
        read_again_in_order(orders.browse({vals["order_id"] for vals in values}))
