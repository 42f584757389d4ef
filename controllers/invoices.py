from typing import Annotated

from odoo import http

from ..engine.api import answers, query
from ..engine.shape import Format
from .openapi.operation import Link, Operation, Parameter, paging
from .openapi.values import ref
from .route import api_route

TAG = "Invoices"

PDF = Annotated[
    bytes,
    Format(
        # the first for JSON Schema, the second for generators of clients
        {
            "type": "string",
            "contentMediaType": "application/pdf",
            "format": "binary",
        },
        "Pdf",
    ),
]
INVOICE_ID = Parameter("The `invoice_id` of a list or a webhook.", 88, ref("Id"))

_EXAMPLE = {
    "invoice_id": 88,
    "number": "INV/2026/00012",
    "type": "out_invoice",
    "state": "posted",
    "payment_state": "not_paid",
    "external_customer_id": "acc-1",
    "partner_id": 7,
    "subscription_ids": [12],
    "date": "2026-02-01",
    "due_date": "2026-03-03",
    "currency": "USD",
    "amount_untaxed": "25.00",
    "amount_tax": "3.75",
    "amount_total": "28.75",
    "amount_due": "28.75",
    "pdf_path": "/invoices/88/pdf",
}

LIST_INVOICES = Operation(
    name="listInvoices",
    tag=TAG,
    summary="Invoices and credit notes",
    description="""
Posted invoices and credit notes for subscriptions of the customers linked to your
service, whoever pays them, and those without a subscription that are addressed to such
a customer. Also where they were cancelled since; never drafts. Of an invoice that bills
subscriptions of another app, too, you see the lines of your own, and the amounts are
those of these lines.
""",
    query={
        "external_customer_id": Parameter(
            "Of the subscriptions of this account; without a subscription: of this"
            " customer.",
            read=query.text,
        ),
        "subscription": Parameter(
            "With lines of this subscription: its `external_id`, or `id:` and its"
            " `subscription_id`.",
            "sub-1",
            read=query.text,
        ),
        "payment_state": Parameter(
            "Paid, or how far.",
            "not_paid",
            read=query.choice(
                "not_paid", "in_payment", "paid", "partial", "reversed", "blocked"
            ),
        ),
        "date_from": Parameter("Dated this day or later.", read=query.day),
        "date_until": Parameter("Dated before this day.", read=query.day),
        **paging("invoice", "aW52b2ljZTo4OA"),
    },
    answer=answers.InvoiceList,
    example={
        "status": "ok",
        "invoices": [_EXAMPLE],
        "has_more": False,
        "next_cursor": "aW52b2ljZTo4OA",
    },
    errors=("unknown_customer", "unknown_subscription"),
)

GET_INVOICE = Operation(
    name="getInvoice",
    tag=TAG,
    summary="One with its lines, and the usage behind them",
    path={"invoice_id": INVOICE_ID},
    answer=answers.InvoiceDetails,
    example={
        "status": "ok",
        **_EXAMPLE,
        "lines": [
            {
                "line_id": 301,
                "name": "API calls: 130, of which 100 included",
                "quantity": "1",
                "price_unit": "15",
                "amount": "15.00",
                "subscription_id": 12,
                "usage": [
                    {
                        "metric_code": "api_calls",
                        "window_start": "2026-01-01T00:00:00Z",
                        "window_end": "2026-02-01T00:00:00Z",
                        "quantity": "130",
                        "included": "100",
                        "billable": "30",
                        "amount": "15.00",
                    }
                ],
            },
            {
                "line_id": 302,
                "name": "Base fee",
                "quantity": "1",
                "price_unit": "10",
                "amount": "10.00",
                "subscription_id": 12,
                "usage": [],
            },
        ],
    },
    unknown_in_path="unknown_invoice",
    links={
        "pdf": Link("getInvoicePdf", {"invoice_id": "$response.body#/invoice_id"}),
    },
)

GET_INVOICE_PDF = Operation(
    name="getInvoicePdf",
    tag=TAG,
    summary="As the customer gets it",
    description="The file that was sent to the customer, else it is made now. An"
    " invoice that bills subscriptions of another app, too, has none for you.",
    path={"invoice_id": INVOICE_ID},
    answer=PDF,
    media="application/pdf",
    errors=("shared_invoice", "pdf_unavailable"),
    unknown_in_path="unknown_invoice",
)


class InvoicesApi(http.Controller):
    @api_route("GET", "/invoices", "read", LIST_INVOICES)
    def invoices(self, call):
        return call.service._api_invoices(call.query)

    @api_route("GET", "/invoices/<string:invoice_id>", "read", GET_INVOICE)
    def invoice(self, call, invoice_id):
        return call.service._api_invoice(invoice_id)

    @api_route(
        "GET",
        "/invoices/<string:invoice_id>/pdf",
        "read",
        GET_INVOICE_PDF,
        read_committed=True,
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
