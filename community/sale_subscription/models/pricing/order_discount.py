from odoo import models


class SaleSubscriptionOrderDiscount(models.AbstractModel):
    """The discounts of a subscription: when they end, what they come to."""

    _name = "sale.subscription.order.discount"
    _description = "Discounts of Subscriptions"

    def _get_discount_groups(self):
        """Return the lines that are recurring discounts, in the order they were made.

        :return: lines by discount
        :rtype: dict
        """
        lines = self.order_line.filtered(
            lambda line: (
                line.recurring_discount_type in ("percent", "amount")
                and line.recurring_invoice
            )
        )
        # New ones, in a form, come last.
        ordered = lines.sorted(lambda line: line._origin.id or float("inf"))
        return ordered.grouped(lambda line: line._get_discount_key())

    def _end_discounts(self):
        """End the discounts that were given in all their periods.

        Called before a period is invoiced: the last one that had the discount has ended
        then. What is invoiced again, after its invoice was taken back, has it again.
        """
        for order in self:
            ended = order.order_line.browse()
            changed = False
            for line in order.order_line:
                left = line._get_discount_periods_left()
                if left is None or (not left) == line.discount_ended:
                    continue
                line._switch_discount(not left)
                changed = True
                ended += line.filtered("discount_ended")
            order._update_recurring_discounts()
            if not changed:
                continue
            order._log_mrr()
            if ended:
                order._post_ended_discounts(ended)

    def _post_ended_discounts(self, lines):
        names = ", ".join(dict.fromkeys(lines.mapped("product_id.display_name")))
        self.message_post(
            body=self.env._("Discounts that have ended, as agreed: %s", names)
        )

    def _drop_limited_discounts(self):
        """End what was agreed on for a number of periods, for good.

        For a plan whose periods are others: three months are not three years.
        """
        for line in self.order_line:
            if line._get_agreed_periods() is None:
                continue
            if not line.discount_ended:
                line._switch_discount(ended=True)
            line.sudo().with_context(mrr_logged_by_caller=True).write(
                self.order_line._forget_discount()
            )

    def _update_recurring_discounts(self):
        """Let the discounts by percentage follow what they are a percentage of."""
        if self.env.context.get("recurring_discount_update"):
            return
        for order in self.filtered("plan_id"):
            if order._get_discount_groups():
                self.env["sale.subscription.discount"]._update(order)
