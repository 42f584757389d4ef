from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    fc_account_link_ids = fields.One2many(
        "fusion.billing.account.link",
        "partner_id",
        string="Source App Accounts",
        groups="fusion_centralized_billing.group_user",
    )

    def _fc_services(self, company):
        """Services of a company that this customer is linked to."""
        links = (self | self.commercial_partner_id).sudo().fc_account_link_ids
        return links.service_id.filtered(lambda s: s.company_id == company)

    def _fc_external_id(self, service):
        """The id a service knows this customer by, else False."""
        links = (self | self.commercial_partner_id).sudo().fc_account_link_ids
        return links.filtered(lambda link: link.service_id == service)[:1].external_id
