from odoo import api, fields, models
from odoo.fields import Command

from ..rating.text import UsageText


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "fusion.billing.guarded"]

    fc_charge_id = fields.Many2one(
        "fusion.billing.charge",
        string="Usage Charge",
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
        readonly=True,
        check_company=True,
        help="The line bills this charge. Its price is set by rating.",
    )

    fc_open_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "order_line_id",
        domain=[("state", "=", "open")],
        groups="fusion_centralized_billing.group_user",
    )

    _fc_one_line_per_charge = models.UniqueIndex(
        "(order_id, fc_charge_id) WHERE fc_charge_id IS NOT NULL",
        "A subscription has one usage line for each charge.",
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

    def _fc_billed_ratings(self):
        """Open ratings that an invoice of this line bills, oldest window first."""
        return (
            self.sudo()
            .fc_open_rating_ids.filtered(lambda r: r.state == "open" and r.amount)
            ._fc_billed_now()
            .sorted("window_start")
        )

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

    def _fc_invoice_values(self, rating, text):
        """Values of the invoice line of one rating.

        Its price is what the usage comes to, the discount taken off: a document's total
        is rounded once, so a price and a discount whose product has more digits than
        the currency could make it a cent more than its lines. The text says the
        discount.
        """
        full_name = self.env["account.move.line"]._get_journal_items_full_name
        product = rating.product_id
        rating.line_price = self.env["fusion.billing.rates"]._adapt(
            self.order_id, product, rating.amount
        )
        values = {
            "name": full_name(
                text.describe(self.order_id, rating), product.display_name
            ),
            "price_unit": rating.line_price,
            "discount": 0.0,
            "fc_rating_ids": [Command.link(rating.id)],
        }
        if product != self.product_id:  # the charge has another one since
            taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
            taxes = self.order_id.fiscal_position_id.map_tax(taxes)
            values |= {"product_id": product.id, "tax_ids": [Command.set(taxes.ids)]}
        return values

    def write(self, vals):
        """A discount that somebody enters on a usage line is a stage of its price."""
        result = super().write(vals)
        if "discount" in vals and not self.env.context.get("fc_rating"):
            orders = self.filtered("fc_charge_id").order_id
            self.env["fusion.billing.rating.queue"].sudo()._add(orders)
        return result

    def _is_invoiced_in_advance(self):
        """Usage is billed afterwards, as it came: by no days, and it is no MRR."""
        return not self.fc_charge_id and super()._is_invoiced_in_advance()

    def _get_recurring_invoice_description(self):
        """A usage line names its own window, which lies behind the plan's period."""
        if self.fc_charge_id:
            return False
        return super()._get_recurring_invoice_description()

    def _fc_set_amounts(self, values):
        """Set prices and texts of usage lines; stored only where they change.

        They are set as Odoo sets what it computes, all before what depends on them:
        write() asks and notes for each line what concerns the edits of people.

        :param dict values: line -> (amount, text)
        """
        changed = {}
        for line, (amount, text) in values.items():
            vals = {}
            if line.currency_id.compare_amounts(line.price_unit, amount):
                # Both prices, as one that differs is taken for entered by hand.
                vals |= {"price_unit": amount, "technical_price_unit": amount}
            if text != line.name:
                vals["name"] = text
            if vals:
                changed[line] = vals
        lines, names = self.concat(*changed), set().union(*changed.values())
        with self.env.protecting([self._fields[name] for name in names], lines):
            for line, vals in changed.items():
                line.update(vals)
            lines.modified(names)
        self.concat(*values)._fc_keep_quantity()

    def _fc_keep_quantity(self):
        self.filtered(lambda x: x.product_uom_qty != 1.0).product_uom_qty = 1.0

    def _fc_reset(self):
        """Set usage lines to 0, at once; written only where it changes something."""
        self.filtered(lambda x: not x.currency_id.is_zero(x.price_unit)).write(
            {"price_unit": 0.0, "technical_price_unit": 0.0}
        )
        self._fc_keep_quantity()

    def _fc_link(self, ratings):
        """Note on the ratings that this line bills them."""
        # Row by row: what several rows have in common hides the one without a line.
        unlinked = ratings.filtered(lambda rating: rating.order_line_id != self)
        if unlinked:
            unlinked.order_line_id = self
