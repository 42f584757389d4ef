from odoo import fields, models

# What a line has of the order on which its reward was claimed.
CLAIM = {
    "reward_id": False,
    "coupon_id": False,
    "points_cost": 0,
    "reward_identifier_code": False,
}


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    recurring_reward_id = fields.Many2one(
        "loyalty.reward",
        string="Recurring Reward",
        ondelete="set null",
        readonly=True,
        help="The reward that this line gives in every period. Renewals keep it; they"
        " claim nothing for it.",
    )

    def _get_discounted_base_lines(self, base_lines):
        """Take a reward from what its program says."""
        base_lines = super()._get_discounted_base_lines(base_lines)
        reward = self.recurring_reward_id
        return reward._get_rewarded_base_lines(base_lines) if reward else base_lines

    def _get_highest_discount(self):
        reward = self.recurring_reward_id
        if not reward.discount_max_amount:
            return super()._get_highest_discount()
        return self.order_id._convert_reward_amount(reward, reward.discount_max_amount)

    def _prepare_following_discount(self, kind):
        """Follow without a claim: the points are spent once."""
        values = super()._prepare_following_discount(kind)
        return values if values is None else {**values, **CLAIM}

    def _prepare_joining_discount(self, parent):
        return {**super()._prepare_joining_discount(parent), **CLAIM}
