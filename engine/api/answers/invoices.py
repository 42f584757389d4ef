from dataclasses import dataclass
from typing import Annotated, Literal

from ...shape import Amount, Answer, Currency, Id, Number, Shape
from ...webhook.event_types import (
    DueDate,
    InvoiceDate,
    InvoiceType,
    OwnSubscriptions,
    PayersId,
    WindowEnd,
    WindowStart,
)
from .paging import IN_ORDER, HasMore, NextCursor


@dataclass(frozen=True)
class Invoice(Shape):
    invoice_id: Id
    number: Annotated[str, "As the customer knows it."]
    type: Annotated[InvoiceType, "`out_refund` is a credit note."]
    state: Literal["posted", "cancel"]
    payment_state: Literal[
        "not_paid",
        "in_payment",
        "paid",
        "partial",
        "reversed",
        "blocked",
        "invoicing_legacy",
    ]
    external_customer_id: PayersId
    partner_id: Annotated[Id, "Whom it is addressed to, in Odoo; who pays."]
    subscription_ids: OwnSubscriptions
    date: InvoiceDate
    due_date: DueDate
    currency: Currency
    amount_untaxed: Amount
    amount_tax: Amount
    amount_total: Amount
    amount_due: Annotated[Amount, "What is still to be paid."]
    pdf_path: Annotated[str, "Where its PDF is, below the base path."]


@dataclass(frozen=True)
class InvoiceList(Answer):
    invoices: Annotated[list[Invoice], IN_ORDER]
    has_more: HasMore
    next_cursor: NextCursor


@dataclass(frozen=True)
class InvoicedUsage(Shape):
    metric_code: Annotated[str, "What was measured."]
    window_start: WindowStart
    window_end: WindowEnd
    quantity: Annotated[Number, "All that was used in the window."]
    included: Annotated[Number, "Of the quantity, what the quota covers."]
    billable: Annotated[Number, "Of the quantity, what is not."]
    amount: Annotated[
        Amount,
        "What this invoice bills of it; where it corrects an earlier one, the"
        " difference.",
    ]


@dataclass(frozen=True)
class InvoiceLine(Shape):
    line_id: Id
    name: Annotated[str, "As it stands on the invoice."]
    quantity: Number
    price_unit: Number
    amount: Annotated[Amount, "Without taxes."]
    subscription_id: Annotated[Id | None, "The subscription it bills."]
    usage: Annotated[list[InvoicedUsage], "What it is made of; empty for other lines."]


@dataclass(frozen=True)
class InvoiceDetails(Invoice, Answer):
    lines: list[InvoiceLine]
