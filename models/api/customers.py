from odoo import models

from ...engine.api import answers
from ...engine.api.events import check_text
from ...engine.api.payload import check_object, contact_changes, require
from ...engine.errors import NotFoundError


class FusionBillingApiCustomers(models.AbstractModel):
    """Customers of a source app, by the ids of its accounts."""

    _name = "fusion.billing.api.customers"
    _description = "API: Customers"

    def _upsert_customer(self, payload):
        """Create the customer of an external account, or update name and e-mail where
        they are given; null takes the e-mail away.

        :param dict payload: ``external_id``, optional ``name``, ``email``
        :return: ``Customer`` as JSON
        """
        self.ensure_one()
        check_object(payload, "external_id", "name", "email")
        external_id = check_text(
            require(payload, "external_id", "{key} required"),
            "external_id",
            "invalid_external_id",
        )
        contact = contact_changes(payload)
        env = self._api_env()
        link = env["fusion.billing.account.link"]._resolve_or_create_partner(
            self, external_id, **contact
        )
        is_written = link._write_contact(contact)
        return answers.Customer(
            partner_id=link.partner_id.id,
            external_id=link.external_id,
            contact="written" if is_written else "kept",
        ).as_json()

    def _api_customer(self, external_id):
        """The customer of an external account (``CustomerDetails``).

        :raises NotFoundError: ``unknown_customer``
        """
        link = self.env["fusion.billing.account.link"]
        if "\x00" not in external_id:  # PostgreSQL has no NUL
            link = link._find(self, external_id)
        if not link:
            raise NotFoundError("unknown_customer", "unknown customer")
        return answers.CustomerDetails(
            partner_id=link.partner_id.id,
            external_id=link.external_id,
            name=link.partner_id.name or None,
            email=link.partner_id.email or None,
        ).as_json()
