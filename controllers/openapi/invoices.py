from .operation import Link, Operation, Parameter, paging
from .values import an_object, answer, list_of, one_of, or_null, page, ref, text

TAG = "Invoices"
INVOICE_ID = Parameter(
    "The `invoice_id` of a list or a webhook.", 88, {"$ref": "#/components/schemas/Id"}
)

_INVOICE = {
    "invoice_id": ref("Id"),
    "number": text("As the customer knows it."),
    "type": one_of(
        "out_invoice", "out_refund", description="`out_refund` is a credit note."
    ),
    "state": one_of("posted", "cancel"),
    "payment_state": one_of(
        "not_paid",
        "in_payment",
        "paid",
        "partial",
        "reversed",
        "blocked",
        "invoicing_legacy",
    ),
    "external_customer_id": or_null(
        text("The customer's id in your app: the account of its first subscription.")
    ),
    "partner_id": ref("Id", "Whom it is addressed to, in Odoo; who pays."),
    "subscription_ids": list_of(ref("Id"), "The subscriptions of yours it bills."),
    "date": or_null(ref("Day", "Of the invoice.")),
    "due_date": or_null(ref("Day", "When it is to be paid.")),
    "currency": ref("Currency"),
    "amount_untaxed": ref("Decimal"),
    "amount_tax": ref("Decimal"),
    "amount_total": ref("Decimal"),
    "amount_due": ref("Decimal", "What is still to be paid."),
    "pdf_path": text("Where its PDF is, below the base path."),
}

SCHEMAS = {
    "InvoiceList": page("invoices", "Invoice"),
    "Invoice": an_object(_INVOICE),
    "InvoiceDetails": answer({**_INVOICE, "lines": list_of(ref("InvoiceLine"))}),
    "InvoiceLine": an_object(
        {
            "line_id": ref("Id"),
            "name": text("As it stands on the invoice."),
            "quantity": ref("Decimal"),
            "price_unit": ref("Decimal"),
            "amount": ref("Decimal", "Without taxes."),
            "subscription_id": or_null(ref("Id", "The subscription it bills.")),
            "usage": list_of(
                ref("InvoicedUsage"), "What it is made of; empty for other lines."
            ),
        }
    ),
    "InvoicedUsage": an_object(
        {
            "metric_code": text("What was measured."),
            "window_start": ref("Instant", "First instant of the window."),
            "window_end": ref("Instant", "First instant after it."),
            "quantity": ref("Decimal", "All that was used in the window."),
            "included": ref("Decimal", "Of the quantity, what the quota covers."),
            "billable": ref("Decimal", "Of the quantity, what is not."),
            "amount": ref(
                "Decimal",
                "What this invoice bills of it; where it corrects an earlier one, the"
                " difference.",
            ),
        }
    ),
}

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

OPERATIONS = {
    ("GET", "/invoices"): Operation(
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
                " customer."
            ),
            "subscription": Parameter(
                "With lines of this subscription: its `external_id`, or `id:` and its"
                " `subscription_id`.",
                "sub-1",
            ),
            "payment_state": Parameter("Paid, or how far.", "not_paid"),
            "date_from": Parameter("Dated this day or later."),
            "date_until": Parameter("Dated before this day."),
            **paging("aW52b2ljZTo4OA"),
        },
        answer="InvoiceList",
        example={
            "status": "ok",
            "invoices": [_EXAMPLE],
            "has_more": False,
            "next_cursor": "aW52b2ljZTo4OA",
        },
        errors=("unknown_customer", "unknown_subscription"),
    ),
    ("GET", "/invoices/{invoice_id}"): Operation(
        name="getInvoice",
        tag=TAG,
        summary="One with its lines, and the usage behind them",
        path={"invoice_id": INVOICE_ID},
        answer="InvoiceDetails",
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
    ),
    ("GET", "/invoices/{invoice_id}/pdf"): Operation(
        name="getInvoicePdf",
        tag=TAG,
        summary="As the customer gets it",
        description="The file that was sent to the customer, else it is made now. An"
        " invoice that bills subscriptions of another app, too, has none for you.",
        path={"invoice_id": INVOICE_ID},
        answer="Pdf",
        media="application/pdf",
        errors=("shared_invoice", "pdf_unavailable"),
        unknown_in_path="unknown_invoice",
    ),
}
