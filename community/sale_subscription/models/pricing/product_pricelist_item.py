from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProductPricelistItem(models.Model):
    """A rule with a plan is a recurring price.

    It counts only for recurring lines of orders with this plan, and may stand without
    a pricelist: then it goes for all of them, and for orders that have none.
    """

    _inherit = "product.pricelist.item"

    # Cascade: without its plan it would turn into an ordinary rule, and price
    # everything.
    plan_id = fields.Many2one(
        "sale.subscription.plan",
        string="Recurring Plan",
        ondelete="cascade",
        index="btree_not_null",
        check_company=True,
        help="Makes this the price per period of the plan. It applies only to "
        "subscription products on orders with this plan.",
    )

    # Of two such rules one could never count. Rules that only overlap are in use: a
    # price for a few weeks beside the one for always.
    _recurring_price_unique = models.UniqueIndex(
        "(plan_id, coalesce(pricelist_id, 0), applied_on, coalesce(categ_id, 0),"
        " coalesce(product_tmpl_id, 0), coalesce(product_id, 0),"
        " coalesce(min_quantity, 0), coalesce(date_start, '-infinity'),"
        " coalesce(date_end, 'infinity')) WHERE plan_id IS NOT NULL",
        "A recurring price for the same plan, pricelist, product, quantity and "
        "dates already exists. Change that one instead.",
    )

    # === COMPUTED FIELDS ===

    @api.depends("plan_id")
    def _compute_is_pricelist_required(self):
        result = super()._compute_is_pricelist_required()
        self.filtered("plan_id").is_pricelist_required = False
        return result

    @api.depends("plan_id.company_id")
    def _compute_company_id(self):
        """Extend Odoo's: without pricelist and product the plan has the company."""
        result = super()._compute_company_id()
        for item in self:
            item.company_id = item.company_id or item.plan_id.company_id
        return result

    @api.depends("plan_id")
    def _compute_currency_id(self):
        """Extend Odoo's: keep the currency in which an amount was entered.

        Odoo takes that of the user's company, which for a rule that belongs to no
        company would be another one after an edit from another company.
        """
        kept = {item: item._origin.currency_id for item in self}
        result = super()._compute_currency_id()
        for item in self:
            if item.plan_id and not item.pricelist_id and not item.company_id:
                item.currency_id = kept[item] or item.currency_id
        return result

    # === CONSTRAINTS ===

    @api.constrains("plan_id", "pricelist_id", "base")
    def _check_recurring_price(self):
        for item in self.filtered(lambda item: not item.pricelist_id):
            if not item.plan_id:
                raise ValidationError(
                    self.env._("A price rule needs a pricelist or a recurring plan.")
                )
            if item.base == "pricelist":
                # It would be a base of itself wherever that pricelist has no other.
                raise ValidationError(
                    self.env._(
                        "A recurring price for all pricelists cannot be based on "
                        "one of them. Choose a pricelist, or a different base."
                    )
                )

    @api.constrains("plan_id", "pricelist_id", "base", "base_pricelist_id")
    def _check_recurring_recursion(self):
        """Extend Odoo's check of recursive rules to those of plans."""
        for item in self.filtered(lambda item: item.base == "pricelist"):
            seen = found = item.base_pricelist_id
            while found:
                if item.pricelist_id in found:
                    raise ValidationError(
                        self.env._(
                            "The prices of %(pricelist)s would be based on "
                            "themselves, through %(base)s.",
                            pricelist=item.pricelist_id.display_name,
                            base=item.base_pricelist_id.display_name,
                        )
                    )
                rules = self.sudo().search(
                    [("pricelist_id", "in", found.ids), ("base", "=", "pricelist")]
                )
                found = rules.base_pricelist_id - seen
                seen |= found

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create([self._complete_recurring(vals) for vals in vals_list])
        # Now, in the company of the user: computed when it is needed it would be that
        # of whichever order asks first.
        items.mapped("currency_id")
        return items

    @api.model
    def _complete_recurring(self, vals):
        """Put right what Odoo would take from its defaults for ordinary rules.

        :param dict vals: values for a new rule
        :return: values for the same rule, as it is meant
        :rtype: dict
        """
        if not vals.get("plan_id"):
            return vals
        vals = dict(vals)
        if "default_pricelist_id" not in self.env.context:
            # The default is the first pricelist there is.
            vals.setdefault("pricelist_id", False)
        product = vals.get("product_id") or vals.get("product_tmpl_id")
        if product and vals.get("applied_on") == "3_global":
            # The form of a new variant does not know its product yet. Taken at its
            # word it would price every product there is.
            del vals["applied_on"]
        return vals

    # === PRICE ===

    def _compute_price(self, product, quantity, uom, date, currency=None, **kwargs):
        """Extend Odoo's: convert amounts entered without a pricelist.

        Odoo takes every amount of a rule for one in the currency asked for, as that is
        the pricelist's. Rounding and extra fees are in the currency of the rule, too.
        A percentage needs no detour, and would get digits from it.
        """
        own = self.currency_id
        if (
            not self.plan_id
            or self.pricelist_id
            or self.compute_price == "percentage"
            or not currency
            or currency == own
        ):
            return super()._compute_price(
                product, quantity, uom, date, currency=currency, **kwargs
            )
        price = super()._compute_price(
            product, quantity, uom, date, currency=own, **kwargs
        )
        return own._convert(price, currency, self.env.company, date, round=False)

    # === POINT OF SALE ===

    @api.model
    def _load_pos_data_read(self, records, config):
        """Keep recurring prices from Point of Sale, which prices in the browser.

        Called only where that module is installed; this one does not depend on it.
        """
        ordinary = records.filtered(lambda item: not item.plan_id)
        return super()._load_pos_data_read(ordinary, config)
