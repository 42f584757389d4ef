from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..base import groups


class FusionBillingOrderRating(models.AbstractModel):
    """Rating of the subscriptions at hand."""

    _name = "fusion.billing.order.rating"
    _description = "Rating of an Order"

    fc_rated_at = fields.Datetime(
        string="Rated On",
        compute="_compute_fc_rated_at",
        groups=groups.USER,
        help="When its usage amounts were last updated.",
    )
    fc_waiting_count = fields.Integer(
        string="Events Not Rated Yet",
        compute="_compute_fc_waiting",
        compute_sudo=True,
        groups=groups.USER,
        help="Events that arrived or were voided since then: the amounts do not "
        "include them yet.",
    )
    fc_is_waiting = fields.Boolean(
        string="Waiting to Be Rated",
        compute="_compute_fc_waiting",
        search="_search_fc_is_waiting",
        compute_sudo=True,
        groups=groups.USER,
        help="Usage, prices or dates have changed since it was rated.",
    )

    def _compute_fc_rated_at(self):
        rated = dict(
            self.env["fusion.billing.window"]
            .sudo()
            ._read_group(
                [("subscription_id", "in", self.ids)],
                ["subscription_id"],
                ["rated_at:max"],
            )
        )
        for order in self:
            order.fc_rated_at = rated.get(order._origin)

    def _compute_fc_waiting(self):
        waiting = self.env["fusion.billing.rating.queue"]._events_waiting(self.ids)
        for order in self:
            order.fc_is_waiting = order._origin.id in waiting
            order.fc_waiting_count = waiting.get(order._origin.id, 0)

    @api.model
    def _search_fc_is_waiting(self, operator, value):
        if operator != "in":
            return NotImplemented
        # From one to the next in the index, as there can be hundreds of rows of each.
        waiting = self.env["fusion.billing.rating.queue"]._waiting()
        return [("id", "in" if True in value else "not in", waiting)]

    def action_fc_rate_now(self):
        """Bring the amounts of these subscriptions up to date.

        One that cannot be rated says why on its form, as after the scheduled run.

        :raises AccessError: the user is no billing manager, or may not see them
        """
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group(groups.MANAGER)):
            raise AccessError(self.env._("Only billing managers may rate usage."))
        orders = self.sudo().filtered("is_subscription")
        self.env["fusion.billing.rating.run"]._rate_isolated(orders)

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
