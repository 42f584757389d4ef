from odoo import api, models
from odoo.exceptions import ValidationError


class ProductTemplate(models.Model):
    _inherit = "product.template"

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "company_id" in fields_list and not values.get("company_id"):
            company = self.env.user._fc_default_company(self._name)
            if company:
                values["company_id"] = company.id
        return values

    def _fc_can_carry_usage(self):
        """Whether this is invoiced anew each period, at the quantity ordered."""
        self.ensure_one()
        return (
            self.type == "service"
            and self.recurring_invoice
            and self.invoice_policy == "order"
        )

    @api.constrains("type", "recurring_invoice", "invoice_policy")
    def _fc_check_usage_of_charges(self):
        """What a charge bills with must go on carrying usage.

        Else its lines would be invoiced once, or never, and nobody would be told.
        """
        changed = self.filtered(lambda product: not product._fc_can_carry_usage())
        charges = changed._fc_charges_in_use()
        if not charges:
            return
        told = charges.filtered(lambda c: c.company_id in self.env.companies)
        raise ValidationError(
            self.env._(
                "%(product)s is used for the usage of %(charges)s, so it must stay "
                "a recurring service product that is invoiced on ordered "
                "quantities. Choose another product on the usage price first.",
                product=charges[0].product_id.display_name,
                charges=", ".join(told.mapped("name"))
                or self.env._("a usage price of another company"),
            )
        )

    @api.constrains("company_id")
    def _check_fc_company(self):
        """What a charge of one company bills with does not become another's alone."""
        Charge = self.env["fusion.billing.charge"].sudo()
        Charge.with_context(active_test=False).search(
            [("product_id.product_tmpl_id", "in", self.ids)]
        )._check_company(["product_id"])

    def _fc_charges_in_use(self):
        """Charges that bill with these products: active, or with windows that were
        rated, which late usage rates anew.
        """
        Charge = self.env["fusion.billing.charge"].sudo()
        charges = Charge.with_context(active_test=False).search(
            [("product_id.product_tmpl_id", "in", self.ids)]
        )
        Agreement = self.env["fusion.billing.window.charge"].sudo()
        return charges.filtered(
            lambda charge: (
                charge.active
                or Agreement.search_count([("charge_id", "=", charge.id)], limit=1)
            )
        )
