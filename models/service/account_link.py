from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, ValidationError

from ...engine.errors import BillingError
from ...engine.webhook.event_types import CustomerLinkedData, CustomerUpdatedData
from ..webhook.pending import noted_before

_NOTED = "fusion_centralized_billing.customer_changes"


class FusionBillingAccountLink(models.Model):
    """Ties a source app's own account id to an Odoo customer."""

    _name = "fusion.billing.account.link"
    _description = "Linked Account"
    _inherit = ["fusion.billing.guarded"]
    _rec_name = "external_id"
    _order = "service_id, external_id, id"

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
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
    # A number and no reference: where contacts are merged, references follow, and the
    # app has not created whom it was merged into.
    created_partner_ref = fields.Integer(
        string="Created Customer",
        readonly=True,
        copy=False,
        help="ID of the customer if the app created it. The app cannot change the name "
        "and email of other customers.",
    )

    _service_external_unique = models.Constraint(
        "UNIQUE (service_id, external_id)",
        "This external account is already linked.",
    )

    @api.constrains("partner_id", "service_id")
    def _check_partner(self):
        """Refuse to hand an app a contact that is more than a customer.

        :raises ValidationError: somebody signs in with it, or could again, or it is a
            company's own
        """
        if self._is_known_inside([("partner_id", "in", self.partner_id.ids)]):
            raise ValidationError(
                self.env._(
                    "A contact that has a login (also an archived one), or is the "
                    "contact of one of your own companies, cannot be linked to an "
                    "app. Link the company of that contact instead, or a separate "
                    "contact."
                )
            )

    def _check_may_link(self):
        """Nobody has an app change what he may not change himself.

        Not a constraint: Odoo checks these as the superuser.

        :raises AccessError: the user may not change the contact
        """
        if not self.partner_id.has_access("write"):
            raise AccessError(
                self.env._(
                    "You may not change this contact, so you cannot link an app to it."
                )
            )

    @api.model
    def _is_known_inside(self, domain):
        """Whether a user or a company has such a contact; archived ones count, as they
        can come back.

        :param domain: on ``partner_id``
        """
        return any(
            self.env[model]
            .sudo()
            .with_context(active_test=False)
            .search_count(domain, limit=1)
            for model in ("res.users", "res.company")
        )

    @api.model_create_multi
    def create(self, vals_list):
        links = super().create(vals_list)
        links._check_may_link()
        return links

    def write(self, vals):
        if "partner_id" in vals:
            self._note_contact()
        result = super().write(vals)
        if "partner_id" in vals:
            self.sudo().created_partner_ref = False
            self._check_may_link()
        return result

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
        Odoo repeats the other (where its snapshot lacks the row, PostgreSQL says
        so), and the repetition finds the link: neither a second partner nor a
        second link remains.

        :param service: one ``fusion.billing.service`` record
        :param str external_id: the account's id in the source app
        :param name: customer name; the external id when empty
        :param email: customer e-mail
        :return: one ``fusion.billing.account.link`` record
        :raises ConcurrencyError: another request has just linked the account
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
        link = self._insert(service, external_id, partner)
        self.env["fusion.billing.webhook"]._enqueue(
            service,
            "customer.linked",
            CustomerLinkedData(external_id, partner.id).as_json(),
        )
        return link

    def _insert(self, service, external_id, partner):
        """Link a new customer.

        :raises ConcurrencyError: another request has just linked the account
        """
        # Not create(): it would end in a constraint error that Odoo reports as
        # the user's fault instead of repeating the request.
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_account_link
                   (service_id, company_id, external_id, partner_id,
                    created_partner_ref, create_uid, create_date, write_uid, write_date)
            VALUES (%(service)s, %(company)s, %(external_id)s, %(partner)s,
                    %(partner)s, %(uid)s, now() AT TIME ZONE 'UTC',
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
        rows = self.env.cr.fetchall()
        if not rows:
            raise ConcurrencyError("the account was linked just now")
        link = self.sudo().browse(rows[0])
        partner.invalidate_recordset(["fc_account_link_ids"])
        service.invalidate_recordset(["account_link_ids", "account_link_count"])
        return link

    # -- what apps are told --------------------------------------------------------

    def _note_contact(self):
        """Remember what the API says of these customers: some of it is about to change.

        Apps are told of the difference at the end of the transaction.
        """
        links = self.sudo()
        if not links:
            return
        noted = noted_before(self.env.cr, _NOTED, links.browse()._tell_contacts)
        for link in links:
            if link.id not in noted:
                noted[link.id] = link._contact()

    def _contact(self):
        partner = self.partner_id
        return {
            "partner_id": partner.id,
            "name": partner.name or None,
            "email": partner.email or None,
        }

    def _tell_contacts(self, noted):
        """Tell apps of the accounts that are not as they were noted.

        :param dict noted: id of the account -> what :meth:`_contact` said before
        """
        events = []
        for link in self.browse(noted).exists():
            if link.partner_id.company_id - link.company_id:
                continue  # another company's by now, see _find
            before, after = noted[link.id], link._contact()
            if changed := [name for name in after if after[name] != before[name]]:
                data = CustomerUpdatedData(
                    external_id=link.external_id, **after, changed=changed
                )
                events.append((link.service_id, "customer.updated", data.as_json()))
        self.env["fusion.billing.webhook"]._enqueue_all(events)

    def _write_contact(self, contact):
        """Take over what the app says of its customer, where that is the app's to say.

        :param dict contact: ``name`` (str) and ``email`` (str, None for none), as far
            as they are given
        :return: whether it is (bool)
        """
        self.ensure_one()
        partner = self.sudo().partner_id
        changes = {
            key: value or False
            for key, value in contact.items()
            if (partner[key] or None) != value
        }
        if changes:
            # Whoever is giving this contact a login at this moment goes first, or
            # waits.
            self.env.cr.execute(
                "SELECT FROM res_partner WHERE id = %s FOR UPDATE",
                [partner.id],
                log_exceptions=False,
            )
        if not self._is_contact_of_app():
            return False
        if changes:
            partner.write(changes)
        return True

    def _is_contact_of_app(self):
        """Whether the customer is the app's own, and nobody else's.

        The app has created it, nobody of the same company signs in, and no other
        account hangs on it: a changed e-mail would else let the app, or a customer of
        it, in as somebody else, or rename another app's customer.
        """
        links = self.sudo()
        partner = links.partner_id
        entity = [
            (
                "partner_id.commercial_partner_id",
                "=",
                partner.commercial_partner_id.id,
            )
        ]
        return (
            partner.id == links.created_partner_ref
            and links.search([("partner_id", "=", partner.id)]) == self
            and not links.search_count(
                [*entity, ("service_id", "!=", links.service_id.id)], limit=1
            )
            and not self._is_known_inside(entity)
        )

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
