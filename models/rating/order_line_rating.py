from odoo import models
from odoo.fields import Command


class FusionBillingOrderLineRating(models.AbstractModel):
    """What a usage line shows and bills."""

    _name = "fusion.billing.order.line.rating"
    _description = "Rating of an Order Line"

    def _fc_billed_ratings(self):
        """Open ratings that an invoice of this line bills, oldest window first."""
        return (
            self.sudo()
            .fc_open_rating_ids.filtered(lambda r: r.state == "open" and r.amount)
            ._fc_billed_now()
            .sorted("window_start")
        )

    def _fc_renewal_values(self):
        """The values of a line of a renewal that has the discount of this one."""
        return {
            "product_id": self.product_id.id,
            "fc_charge_id": self.fc_charge_id.id,
            "name": self.fc_charge_id.display_name,
            "sequence": self.sequence,
            "product_uom_qty": 1.0,
            "price_unit": 0.0,
            "technical_price_unit": 0.0,
            "discount": self.discount,
        }

    def _fc_invoice_values(self, rating, text):
        """Values of the invoice line of one rating.

        Its price is what the usage comes to, the discount taken off; the text says it.
        A document's total is rounded once: a price and a discount whose product has
        more digits than the currency could make it a cent more than its lines.
        """
        product = rating.product_id
        rating.line_price = self.env["fusion.billing.rates"]._adapt(
            self.order_id, product, rating.amount
        )
        values = {
            "name": text.describe_invoiced(self.order_id, rating),
            "price_unit": rating.line_price,
            "discount": 0.0,
            "fc_rating_ids": [Command.link(rating.id)],
        }
        if product != self.product_id:  # the charge was given another product since
            taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
            taxes = self.order_id.fiscal_position_id.map_tax(taxes)
            values |= {"product_id": product.id, "tax_ids": [Command.set(taxes.ids)]}
        return values

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
                # Both prices: where they differ, Odoo takes the price for one that
                # somebody entered.
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
        # Each rating is asked by itself: ``ratings.order_line_id != self`` would miss a
        # rating without a line beside one that has it.
        unlinked = ratings.filtered(lambda rating: rating.order_line_id != self)
        if unlinked:
            unlinked.order_line_id = self
