from odoo import models


class LoyaltyReward(models.Model):
    _inherit = "loyalty.reward"

    def _get_rewarded_base_lines(self, base_lines):
        """Return what this reward discounts of what a period costs.

        :param list base_lines: of account.tax
        :rtype: list[dict]
        """
        self.ensure_one()
        if self.discount_applicability == "order":
            return base_lines
        domain = self._get_discount_product_domain()
        lines = [
            line
            for line in base_lines
            if line["product_id"].filtered_domain(domain)
            and line["price_unit"] > 0
            and line["quantity"]
        ]
        if self.discount_applicability == "specific" or not lines:
            return lines
        # One unit of the cheapest, as on any order.
        cheapest = min(lines, key=lambda line: line["price_unit"])
        return [{**cheapest, "quantity": 1.0}]
