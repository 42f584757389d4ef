from odoo import http

from odoo.addons.fusion_centralized_billing.controllers.openapi.operation import (
    Operation,
)
from odoo.addons.fusion_centralized_billing.controllers.route import api_route

from .models import Quotes

COUNT_QUOTES = Operation(
    name="countQuotes",
    tag="Subscriptions",
    summary="Quotations of your customers",
    answer=Quotes,
    example={"status": "ok", "quotes": 3},
)


class QuotesApi(http.Controller):
    @api_route("GET", "/quotes", "read", COUNT_QUOTES)
    def quotes(self, call):
        return call.service._api_quotes()
