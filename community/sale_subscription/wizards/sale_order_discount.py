from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command

from ..models.pricing.line_discount import DISCOUNT_RECURRENCE


class SaleOrderDiscount(models.TransientModel):
    """Asks for how long a discount on a subscription holds.

    Where nobody says so (code that is not about subscriptions), a discount is what it
    is on any order: a percentage stays on its lines, a line of its own is invoiced
    once.
    """

    _inherit = "sale.order.discount"

    plan_id = fields.Many2one(related="sale_order_id.plan_id")
    recurrence = fields.Selection(DISCOUNT_RECURRENCE, string="Duration")
    period_count = fields.Integer(string="Number of Periods", default=1)
    period_text = fields.Char(
        related="sale_order_id.plan_id.billing_period_display", string="Period"
    )

    @api.constrains("recurrence", "period_count")
    def _check_period_count(self):
        for wizard in self:
            if wizard.recurrence == "periods" and wizard.period_count < 1:
                raise ValidationError(
                    self.env._("A discount must last at least one period.")
                )

    def action_apply_discount(self):
        """Apply the discount, and note for how long it holds."""
        self.ensure_one()
        order = self.sale_order_id
        if not self.recurrence or not order.plan_id:
            return super().action_apply_discount()
        order.check_access("write")
        if self.discount_type == "sol_discount":
            return self._apply_to_lines(super().action_apply_discount)
        if (self.discount_type, self.recurrence) == ("amount", "once"):
            # All of it, also where the next period is cut short.
            return super().action_apply_discount()
        return self.with_company(self.company_id)._create_recurring_discount()

    def _apply_to_lines(self, apply_to_all):
        """Set the percentage on the lines.

        :param apply_to_all: Odoo's method, which does so on every line
        """
        order = self.sale_order_id
        lines = order.order_line.filtered("recurring_invoice")
        afterwards = {}
        if self.recurrence == "always":
            result = apply_to_all()
        else:
            # Once it has ended, the line costs again what it did before this discount.
            afterwards = {line: line._get_discount(holds=False) for line in lines}
            targets = self._get_lines_discounted_for_a_time()
            lines &= targets
            result = targets.write({"discount": self.discount_percentage * 100})
        lines = lines.filtered(lambda line: not line.recurring_discount_type)
        lines._agree_discount(self.recurrence, self.period_count, afterwards)
        return result

    def _get_lines_discounted_for_a_time(self):
        """Return the lines that *On All Order Lines* is for when it ends by itself.

        A hook for modules whose lines say otherwise when a discount on them ends.

        :rtype: sale.order.line recordset
        """
        return self.sale_order_id.order_line.filtered(
            lambda line: not line.display_type
        )

    def _create_recurring_discount(self):
        """Make the lines of a discount that is invoiced with every period.

        A percentage is taken from what is invoiced once, too: by a line of its own,
        once.
        """
        self = self.with_context(lang=self.sale_order_id._get_lang())
        Discount = self.env["sale.subscription.discount"]
        order = self.sale_order_id
        product = self._get_discount_product()
        percent = self.discount_type == "so_discount"
        terms = {
            "type": "percent" if percent else "amount",
            "value": self.discount_percentage * 100
            if percent
            else self.discount_amount,
            "key": f"global_discount,{self.id}",
        }
        given = order.order_line.filtered(lambda x: not x.discount_ended)
        recurring = Discount._get_base_lines(order, lambda x: x in given)
        values = [
            {
                **line_values,
                "recurring_invoice": True,
                "recurring_discount_type": terms["type"],
                "recurring_discount_value": terms["value"],
                "discount_recurrence": self.recurrence,
                "discount_periods": (
                    self.period_count if self.recurrence == "periods" else 0
                ),
            }
            for line_values in self._prepare_global_discount_so_lines(
                Discount._compute(order, recurring, product, terms)
            )
        ]
        if percent:
            once = Discount._get_once_base_lines(order)
            terms["key"] += ",once"
            values += self._prepare_global_discount_so_lines(
                Discount._compute(order, once, product, terms)
            )
        if not values:
            raise ValidationError(
                self.env._("Nothing on %s is invoiced in advance.", order.name)
            )
        order.sudo().order_line = [Command.create(line) for line in values]
