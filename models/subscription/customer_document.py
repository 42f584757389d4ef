from odoo import api, models


class FusionBillingCustomerDocument(models.AbstractModel):
    """A document of Odoo's that customers sign and pay with its token alone.

    Whoever knows the token is the customer. So it is not for those who read the
    document for billing only, by whatever path: reading, searching, grouping, export,
    ``get_portal_url``, a related field, a mail template.
    """

    _name = "fusion.billing.customer.document"
    _description = "Document with a Customer's Token"

    @api.model
    def _has_field_access(self, field, operation):
        if field.name == "access_token" and not self.env.su:
            if self.env.user._fc_reads_for_billing_only(self._name):
                return False
        # What went wrong is for the staff. Not by groups of the field: each view that
        # shows it, or hides something by it, would have to repeat them.
        if field.name == "fc_rating_error" and not self.env.su:
            if not self.env.user._is_internal():
                return False
        return super()._has_field_access(field, operation)
