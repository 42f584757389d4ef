from odoo import api, fields, models

from ..base import groups


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "fusion.billing.partner.overview"]

    fc_account_link_ids = fields.One2many(
        "fusion.billing.account.link",
        "partner_id",
        string="Linked Accounts",
        groups=groups.USER,
    )

    @api.constrains("company_id")
    def _check_fc_company(self):
        """A customer of an app of one company does not become another's alone."""
        self.sudo().fc_account_link_ids._check_company(["partner_id"])

    def write(self, vals):
        """Apps are told what changed of their customers, whoever has changed it."""
        if "name" in vals or "email" in vals:
            self.sudo().fc_account_link_ids._note_contact()
        return super().write(vals)

    def _fc_services(self, company):
        """Services of a company that this customer is linked to."""
        services = self._fc_account_links().service_id
        return services.filtered(lambda service: service.company_id == company)

    def _fc_account_links(self):
        """Accounts of this customer in all apps; the contact's own come first."""
        partner = self.sudo()
        links = partner.fc_account_link_ids
        return links | partner.commercial_partner_id.fc_account_link_ids

    def _fc_account_link(self, service):
        """The account that a service knows this customer by, or none.

        What ``account_link_sql`` says of many.
        """
        links = self._fc_account_links()
        return links.filtered(lambda link: link.service_id == service)[:1]
