from odoo import models


class FusionBillingOrderRating(models.AbstractModel):
    """Rating of the subscriptions at hand."""

    _name = "fusion.billing.order.rating"
    _description = "Rating of an Order"

    def _fc_rate_usage(self):
        """Rate the usage of these subscriptions up to date, onto their lines.

        Running it again changes nothing, and takes a number of queries that does not
        grow with the set, but for lines that are new: Odoo makes these one by one.

        :return: the open ``fusion.billing.rating`` rows up to the current window
        """
        orders = self.filtered("is_subscription").sudo()
        orders._fc_bring_up_to_date()
        ratings = orders._fc_open_ratings()
        current = {order: order._fc_window() for order in ratings.subscription_id}
        # A later one waits for the invoices before it.
        return ratings.filtered(
            lambda r: r.window_start <= current[r.subscription_id].start
        )

    def _fc_bring_up_to_date(self):
        """Rate, and carry what the next invoice bills to the lines."""
        changed = self.env["fusion.billing.rater"]._rate(self)
        self.env["fusion.billing.order.lines"]._update(changed)

    def _fc_open_ratings(self):
        """The ``fusion.billing.rating`` rows that are still to be invoiced."""
        return (
            self.env["fusion.billing.rating"]
            .sudo()
            .search([("subscription_id", "in", self.ids), ("state", "=", "open")])
        )
