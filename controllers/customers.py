from odoo import http

from .route import api_route


class CustomersApi(http.Controller):
    @api_route("POST", "/customers", scope="manage", read_committed=True)
    def upsert_customer(self, call):
        return call.service._upsert_customer(call.body())

    @api_route("GET", "/customers/<path:external_id>", scope="read")
    def customer(self, call, external_id):
        return call.service._api_customer(external_id)
