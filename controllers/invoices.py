from odoo import http

from ..engine.api import query
from .route import api_route


class InvoicesApi(http.Controller):
    @api_route(
        "GET",
        "/invoices",
        scope="read",
        query={
            "external_customer_id": query.text,
            "subscription": query.text,
            "payment_state": query.choice(
                "not_paid", "in_payment", "paid", "partial", "reversed", "blocked"
            ),
            "date_from": query.day,
            "date_until": query.day,
            **query.page("invoice"),
        },
    )
    def invoices(self, call):
        return call.service._api_invoices(call.query)

    @api_route("GET", "/invoices/<string:invoice_id>", scope="read")
    def invoice(self, call, invoice_id):
        return call.service._api_invoice(invoice_id)

    @api_route(
        "GET", "/invoices/<string:invoice_id>/pdf", scope="read", read_committed=True
    )
    def invoice_pdf(self, call, invoice_id):
        """The one answer that is no JSON, unless it is an error."""
        content = call.service._api_invoice_pdf(invoice_id)
        return http.request.make_response(
            content,
            headers=[
                ("Content-Type", "application/pdf"),
                ("Content-Disposition", f'inline; filename="{invoice_id}.pdf"'),
                ("Cache-Control", "no-store"),
            ],
        )
