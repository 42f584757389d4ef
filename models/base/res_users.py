from odoo import models

BILLING_GROUPS = ("group_user", "group_manager", "group_admin")


class ResUsers(models.Model):
    _inherit = "res.users"

    def _fc_reads_for_billing_only(self, model_name, operation="read"):
        """Whether this user reads a model of Odoo's by the billing groups alone.

        Who sells or keeps the books reads it by another group as well, and is left
        with what Odoo allows. Who does not sees what is billed, but is neither the
        seller nor the customer: see docs/security.md.

        :param str model_name: a model the billing groups may read, as ``sale.order``
        :param str operation: "read", or what else is asked for
        """
        self.ensure_one()
        groups = set(self._get_group_ids())
        billing = {
            self.env.ref(f"fusion_centralized_billing.{name}").id
            for name in BILLING_GROUPS
        }
        if not groups & billing:
            return False
        # The superuser reads this for whoever is asked about, as record rules do.
        Access = self.env["ir.model.access"].sudo()
        readers = Access._get_access_groups(model_name, operation)
        return not readers.matches(groups - billing)

    def _fc_has_all_companies(self):
        """Whether the user may change what all companies share."""
        self.ensure_one()
        companies = self.env["res.company"].sudo()
        return not companies.search_count(
            [("id", "not in", self.company_ids.ids)], limit=1
        )

    def _fc_default_company(self, model_name):
        """Whose a new record is that a billing manager makes, as a plan or a product.

        What is of no company is shared by all, and made by who answers for all.
        """
        self.ensure_one()
        company = self.env["res.company"]
        if self._fc_has_all_companies() or not self._fc_reads_for_billing_only(
            model_name, "create"
        ):
            return company
        return self.env.company
