from odoo import fields, models
from odoo.exceptions import UserError

# Lines are used again for other rewards: each says that it does not recur, too.
ONCE = {
    "recurring_invoice": False,
    "recurring_discount_type": False,
    "recurring_discount_value": 0,
    "discount_recurrence": False,
    "discount_periods": 0,
    "recurring_reward_id": False,
}


class SaleOrder(models.Model):
    """Rewards on subscriptions hold as long as their program says."""

    _inherit = "sale.order"

    def _get_no_effect_on_threshold_lines(self):
        lines = super()._get_no_effect_on_threshold_lines()
        if self.env.context.get("reward_on_what_is_once"):
            lines |= self.order_line.filtered("recurring_invoice")
        return lines

    def _get_reward_values_product(self, reward, coupon, product=None, **kwargs):
        """Give the product with every invoice, or with the first one alone."""
        values_list = super()._get_reward_values_product(
            reward, coupon, product=product, **kwargs
        )
        if self.plan_id:
            recurrence = reward.program_id._get_recurrence_values()
            for values in values_list:
                values |= ONCE
                if recurrence:
                    values |= {
                        **recurrence,
                        "recurring_discount_type": "quantity",
                        "recurring_discount_value": values["product_uom_qty"],
                        "recurring_reward_id": reward.id,
                    }
        return values_list

    def _get_reward_values_discount(self, reward, coupon, **kwargs):
        """Discount every period, or the first invoice alone."""
        if not self._get_reward_recurrence(reward):
            values_list = super()._get_reward_values_discount(reward, coupon, **kwargs)
            return [{**v, **ONCE} if self.plan_id else v for v in values_list]
        values_list = self._get_recurring_reward_values(reward, coupon)
        if reward.discount_mode == "percent":
            # A percentage is of what is invoiced once, too.
            once = self.with_context(reward_on_what_is_once=True)
            try:
                more = super(SaleOrder, once)._get_reward_values_discount(
                    reward, coupon, **kwargs
                )
            except UserError:  # there is nothing of it
                more = []
            values_list += [{**values, **ONCE, "points_cost": 0} for values in more]
        if not values_list:
            raise UserError(self.env._("There is nothing to discount"))
        # Removed together; the points are on one of them.
        code = values_list[0]["reward_identifier_code"]
        for values in values_list:
            values["reward_identifier_code"] = code
        values_list[0]["points_cost"] = self._get_reward_cost(reward, coupon)
        return values_list

    def _get_reward_recurrence(self, reward):
        """Return for how long a discount holds on this order.

        :return: values of sale.order.line; empty for a line that is invoiced once
        :rtype: dict
        """
        program = reward.program_id
        if not self.plan_id:
            return {}
        if reward.discount_mode == "percent" and not program.is_payment_program:
            # Of a first period that is cut short, not of a whole one.
            once = {"recurring_invoice": True, "discount_recurrence": "once"}
            return program._get_recurrence_values() or once
        return program._get_recurrence_values()

    def _get_recurring_reward_values(self, reward, coupon):
        """Return the lines of a reward on what is invoiced in advance.

        :return: values of sale.order.line, one for each combination of taxes
        :rtype: list[dict]
        """
        Discount = self.env["sale.subscription.discount"]
        amount = self._get_reward_amount(reward, coupon)
        highest = reward.discount_max_amount
        terms = {
            "type": "amount" if amount else "percent",
            "value": amount or reward.discount,
            "key": f"reward,{reward.id},{coupon.id}",
        }
        if highest:
            terms["highest"] = self._convert_reward_amount(reward, highest)
        base_lines = Discount._get_base_lines(
            self,
            lambda line: not line.discount_ended and line.reward_id != reward,
        )
        sequence = max(
            self.order_line.filtered(lambda x: not x.is_reward_line).mapped("sequence"),
            default=10,
        )
        return [
            {
                **ONCE,
                **Discount._prepare_line(base_line),
                **self._get_reward_recurrence(reward),
                "product_id": reward.discount_line_product_id.id,
                "product_uom_qty": 1.0,
                "name": reward.description,
                "sequence": sequence + 1,
                "reward_id": reward.id,
                "coupon_id": coupon.id,
                "points_cost": 0,
                "reward_identifier_code": terms["key"],
                "recurring_reward_id": reward.id,
                "recurring_discount_type": terms["type"],
                "recurring_discount_value": terms["value"],
            }
            for base_line in Discount._compute(
                self,
                reward._get_rewarded_base_lines(base_lines),
                reward.discount_line_product_id,
                terms,
            )
        ]

    def _get_reward_amount(self, reward, coupon):
        """Return the amount that a reward takes off a period.

        :return: with taxes, in the currency of the order; 0 for a percentage
        :rtype: float
        """
        amount = reward.discount
        if reward.discount_mode == "percent":
            return 0.0
        if reward.discount_mode == "per_point":
            points = self._get_real_points_for_coupon(coupon)
            amount *= points // reward.required_points * reward.required_points
        return self._convert_reward_amount(reward, amount)

    def _get_reward_cost(self, reward, coupon):
        points = self._get_real_points_for_coupon(coupon)
        if reward.clear_wallet:
            return points
        if reward.discount_mode == "per_point":
            return points // reward.required_points * reward.required_points
        return reward.required_points

    def _convert_reward_amount(self, reward, amount):
        return reward.currency_id._convert(
            amount, self.currency_id, self.company_id, fields.Date.today()
        )

    def _write_vals_from_reward_vals(self, reward_vals, old_lines, delete=True):
        """For those who may write the order: some of the fields only code writes."""
        if not self.plan_id:
            return super()._write_vals_from_reward_vals(reward_vals, old_lines, delete)
        self.check_access("write")
        order = self.sudo()
        return (
            super(SaleOrder, order)
            ._write_vals_from_reward_vals(reward_vals, old_lines.sudo(), delete)
            .with_env(self.env)
        )

    def _update_programs_and_rewards(self):
        """Price what recurs once all rewards are known."""
        order = self.with_context(recurring_discount_update=True)
        result = super(SaleOrder, order)._update_programs_and_rewards()
        self._update_recurring_discounts()
        return result
