from odoo import http

from odoo.addons.fusion_centralized_billing.controllers.openapi.document import (
    OPERATIONS,
    SCHEMAS,
)
from odoo.addons.fusion_centralized_billing.controllers.openapi.operation import (
    Operation,
)
from odoo.addons.fusion_centralized_billing.controllers.openapi.values import (
    an_object,
    count,
)
from odoo.addons.fusion_centralized_billing.controllers.route import api_route

SCHEMAS["Quotes"] = an_object({"quotes": count("How many.")})
OPERATIONS["GET", "/quotes"] = Operation(
    name="countQuotes",
    tag="Subscriptions",
    summary="Quotations of your customers",
    answer="Quotes",
    example={"status": "ok", "quotes": 3},
)


class QuotesApi(http.Controller):
    @api_route("GET", "/quotes", scope="read")
    def quotes(self, call):
        return call.service._api_quotes()
