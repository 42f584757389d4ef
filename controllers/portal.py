"""Who may come to the customer's pages of Odoo, and act there."""

from odoo.exceptions import AccessError
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.sale.controllers import portal


class CustomerPortal(portal.CustomerPortal):
    def _document_check_access(self, model_name, document_id, access_token=None):
        """Keep staff who may only read from being the customer.

        Odoo's pages ask whether somebody may read, then sign, pay and close as
        superuser, and carry the token in their links. So:

        - who reads for billing only needs the token, as any stranger does;
        - who may read an order, but not change it, signs, declines and pays nothing
          there, with or without the token.

        What somebody has ordered himself he handles as every customer does.
        """
        document = super()._document_check_access(
            model_name, document_id, access_token=access_token
        )
        user = request.env.user
        if not user._is_internal() or document.partner_id == user.partner_id:
            return document
        if user._fc_reads_for_billing_only(model_name):
            token = document.access_token
            if not (token and access_token and consteq(token, access_token)):
                raise AccessError(
                    request.env._("Billing users cannot act on behalf of the customer.")
                )
        # What changes something is posted, on every route of Odoo's and of ours.
        if model_name == "sale.order" and request.httprequest.method == "POST":
            order = request.env[model_name].browse(document.id)
            if order.has_access("read"):  # else he came with the token, as a stranger
                order.check_access("write")
        return document
