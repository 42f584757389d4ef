from odoo import models

from ...engine.api.errors import error_body
from ...engine.errors import BillingError


class FusionBillingApiPublic(models.AbstractModel):
    """Handlers that other code in Odoo may call. They never raise on bad input.

    All handlers raise, and what a request gets for it is rendered by the route. These
    are the ones that other modules were promised, with the answer for an error.
    """

    _name = "fusion.billing.api.public"
    _description = "API: Public Handlers"

    def _api_upsert_customer(self, payload):
        """As ``POST /customers``.

        :param payload: the decoded JSON body
        :return: ``{'status': 'ok', ...}`` or ``{'status': 'error', 'error', 'code'}``
        """
        return _answered(self._upsert_customer, payload)

    def _api_record_usage(self, payload):
        """As ``POST /usage``, see :meth:`_api_upsert_customer`."""
        return _answered(self._record_events, payload)

    def _api_create_subscription(self, payload):
        """As ``POST /subscriptions``, see :meth:`_api_upsert_customer`."""
        return _answered(self._create_subscription, payload)


def _answered(handler, payload):
    # Database errors pass: Odoo repeats the request after a serialization failure.
    try:
        return handler(payload)
    except BillingError as error:
        return error_body(error)
