from odoo import models

BILLING_GROUPS = ("group_user", "group_manager", "group_admin")


class ResUsers(models.Model):
    _inherit = "res.users"

    def _fc_reads_for_billing_only(self, model_name):
        """Whether this user reads a model of Odoo's by the billing groups alone.

        Who sells or keeps the books reads it by another group as well, and is left
        with what Odoo allows. Who does not sees what is billed, but is neither the
        seller nor the customer: see docs/security.md.

        :param str model_name: a model the billing groups may read, as ``sale.order``
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
        readers = self.env["ir.model.access"].sudo()._get_access_groups(model_name)
        return not readers.matches(groups - billing)
