from odoo import fields, models


class LoyaltyProgram(models.Model):
    _inherit = "loyalty.program"

    subscription_recurrence = fields.Selection(
        [
            ("once", "First invoice only"),
            ("periods", "For a number of periods"),
            ("always", "As long as the subscription runs"),
        ],
        string="On Subscriptions",
        required=True,
        default="once",
        help="For how many periods of a subscription a reward of this program is given."
        " Points are earned and spent once, when the order is confirmed.",
    )
    subscription_periods = fields.Integer(
        string="Periods",
        default=1,
        help="The number of periods that have the reward. A first period that is cut"
        " short is one of them.",
    )

    _subscription_periods_positive = models.Constraint(
        "CHECK (subscription_recurrence <> 'periods' OR subscription_periods > 0)",
        "A reward for a number of periods needs at least one.",
    )

    def _get_recurrence_values(self):
        """Return for how long a reward on an order line holds.

        :return: values of sale.order.line; empty for one that is given once
        :rtype: dict
        """
        self.ensure_one()
        if self.subscription_recurrence == "once" or self.is_payment_program:
            return {}
        counted = self.subscription_recurrence == "periods"
        return {
            "recurring_invoice": True,
            "discount_recurrence": self.subscription_recurrence,
            "discount_periods": self.subscription_periods if counted else 0,
        }
