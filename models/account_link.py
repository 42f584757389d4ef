from odoo import api, fields, models

from ..engine.errors import BillingError


class FusionBillingAccountLink(models.Model):
    """Ties a source app's own account id to an Odoo customer."""

    _name = "fusion.billing.account.link"
    _description = "Billing Account Link"
    _inherit = ["fusion.billing.guarded"]
    _rec_name = "external_id"
    _order = "service_id, external_id, id"

    service_id = fields.Many2one(
        "fusion.billing.service",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
    )
    company_id = fields.Many2one(related="service_id.company_id", store=True)
    external_id = fields.Char(
        string="External Account", required=True, help="The account's id in the app."
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
    )

    _service_external_unique = models.Constraint(
        "UNIQUE (service_id, external_id)",
        "This external account is linked already.",
    )

    @api.model
    def _find(self, service, external_id):
        """The link of an external account, or none.

        Nor one whose customer has become another company's, as by merging contacts: it
        is not the app's to read or to bill.
        """
        link = self._find_any(service, external_id)
        company = link.partner_id.company_id
        return link.browse() if company - service.company_id else link

    @api.model
    def _find_any(self, service, external_id):
        return self.sudo().search(
            [("service_id", "=", service.id), ("external_id", "=", external_id)],
            limit=1,
        )

    @api.model
    def _resolve_or_create_partner(self, service, external_id, name=None, email=None):
        """Return the link of an external account, creating customer and link once.

        An existing customer is never looked up by name or e-mail: an app could
        otherwise attach itself to a customer that is not its own.

        When two requests race, the unique constraint lets one of them insert.
        The other gets a serialization failure from PostgreSQL (the row is not
        in its snapshot), Odoo repeats that request, and the repetition finds
        the link: neither a second partner nor a second link remains.

        :param service: one ``fusion.billing.service`` record
        :param str external_id: the account's id in the source app
        :param name: customer name; the external id when empty
        :param email: customer e-mail
        :return: one ``fusion.billing.account.link`` record
        :raises BillingError: ``unknown_customer``, see :meth:`_find`
        """
        link = self._find(service, external_id)
        if link:
            return link
        if self._find_any(service, external_id):
            raise BillingError("unknown_customer", "unknown customer", "external_id")
        partner = (
            self.env["res.partner"]
            .sudo()
            .create(
                {
                    "name": name or external_id,
                    "email": email or False,
                    "company_id": service.company_id.id,
                }
            )
        )
        # Not create(): it would end in a constraint error that Odoo reports as
        # the user's fault instead of repeating the request.
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_account_link
                   (service_id, company_id, external_id, partner_id,
                    create_uid, create_date, write_uid, write_date)
            VALUES (%(service)s, %(company)s, %(external_id)s, %(partner)s,
                    %(uid)s, now() AT TIME ZONE 'UTC',
                    %(uid)s, now() AT TIME ZONE 'UTC')
            ON CONFLICT (service_id, external_id) DO NOTHING
            RETURNING id
            """,
            {
                "service": service.id,
                "company": service.company_id.id,
                "external_id": external_id,
                "partner": partner.id,
                "uid": self.env.uid,
            },
            # Of two requests at once, one fails here and is repeated: not an error.
            log_exceptions=False,
        )
        link = self.sudo().browse(self.env.cr.fetchone()[0])
        partner.invalidate_recordset(["fc_account_link_ids"])
        service.invalidate_recordset(["account_link_ids", "account_link_count"])
        self.env["fusion.billing.webhook"]._enqueue(
            service,
            "customer.linked",
            {"external_id": external_id, "partner_id": partner.id},
        )
        return link

    def _lock_serializing(self):
        """Make concurrent requests of this account run one after the other.

        An UPDATE, not a lock: the one that waited gets a serialization failure
        and is repeated by Odoo with a snapshot that shows what the other did.
        """
        self.ensure_one()
        self.env.cr.execute(
            "UPDATE fusion_billing_account_link SET write_date = write_date"
            " WHERE id = %s",
            [self.id],
            log_exceptions=False,
        )
