from odoo import api, fields, models

from ..base import groups
from ..rating.text import UsageText
from ..subscription.changes import LINE_FIELDS


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = [
        "sale.order.line",
        "fusion.billing.order.line.rating",
        "fusion.billing.guarded",
    ]

    fc_charge_id = fields.Many2one(
        "fusion.billing.charge",
        string="Usage Price",
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
        readonly=True,
        check_company=True,
        help="The line bills this usage price. Its amount is set by rating.",
    )

    fc_open_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "order_line_id",
        string="Open Ratings",
        domain=[("state", "=", "open")],
        groups=groups.USER,
    )

    _fc_one_line_per_charge = models.UniqueIndex(
        "(order_id, fc_charge_id) WHERE fc_charge_id IS NOT NULL",
        "A subscription can have only one usage line for each usage price.",
    )

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_price_unit(self):
        # The price list must not overwrite what was rated. Odoo spares lines
        # with a manual price only until the amount happens to be the list's.
        return super(
            SaleOrderLine, self.filtered(lambda line: not line.fc_charge_id)
        )._compute_price_unit()

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_discount(self):
        return super(
            SaleOrderLine, self.filtered(lambda line: not line.fc_charge_id)
        )._compute_discount()

    def _get_protected_fields(self):
        """Rating goes on although the order is locked: that guards against people."""
        protected = super()._get_protected_fields()
        if self.env.su and self.env.context.get("fc_rating"):
            free = ("name", "price_unit", "technical_price_unit", "product_uom_qty")
            return [field for field in protected if field not in free]
        return protected

    def _prepare_invoice_line(self, **optional_values):
        """A usage line is invoiced as quantity 1, also when no period is due."""
        if self.fc_charge_id:
            optional_values["quantity"] = 1.0
        return super()._prepare_invoice_line(**optional_values)

    def _prepare_invoice_lines_vals_list(self, **optional_values):
        """Bill each window by a line of its own, which names it."""
        vals_list = super()._prepare_invoice_lines_vals_list(**optional_values)
        if not self.fc_charge_id:
            return vals_list
        [vals] = vals_list
        text = UsageText()
        return [
            vals | self._fc_invoice_values(rating, text)
            for rating in self._fc_billed_ratings()
        ] or vals_list

    @api.model_create_multi
    def create(self, vals_list):
        """Apps are told of lines that a running subscription is given."""
        ids = {v.get("order_id") for v in vals_list if not v.get("fc_charge_id")}
        self._fc_note(self.env["sale.order"].browse(ids - {None, False}))
        return super().create(vals_list)

    def write(self, vals):
        """A discount that somebody enters on a usage line is a stage of its price.

        Apps are told of other quantities.
        """
        if LINE_FIELDS & vals.keys():
            self._fc_note(self.filtered(lambda line: not line.fc_charge_id).order_id)
        result = super().write(vals)
        if "discount" in vals and not self.env.context.get("fc_rating"):
            orders = self.filtered("fc_charge_id").order_id
            self.env["fusion.billing.rating.queue"].sudo()._add(orders)
        return result

    def unlink(self):
        """Apps are told of lines that are taken from a running subscription."""
        self._fc_note(self.filtered(lambda line: not line.fc_charge_id).order_id)
        return super().unlink()

    def _set_subscription_quantity(self, quantity):
        """Apps are told. A hook of Community's module only: this is no `write`."""
        self._fc_note(self.order_id)
        return super()._set_subscription_quantity(quantity)

    def _join_subscription(self, parent):
        """Apps are told. A hook of Community's module only, as above."""
        self._fc_note(parent)
        return super()._join_subscription(parent)

    def _fc_note(self, orders):
        self.env["fusion.billing.subscription.changes"]._note(orders)

    def _has_price_of_one(self):
        """What stands on a usage line is what all of it comes to so far."""
        return not self.fc_charge_id and super()._has_price_of_one()

    def _is_invoiced_in_advance(self):
        """Usage is billed afterwards: never in part by days, and not part of MRR."""
        return not self.fc_charge_id and super()._is_invoiced_in_advance()

    def _get_recurring_invoice_description(self):
        """A usage line names its own window, which is over when the period begins."""
        if self.fc_charge_id:
            return False
        return super()._get_recurring_invoice_description()
