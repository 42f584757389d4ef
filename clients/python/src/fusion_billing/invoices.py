from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal, TypedDict

from .decode import decode
from .encode import path
from .results import Invoice, InvoiceWithLines, Page
from .routes import Routes, every
from .usage import query_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


class InvoiceFilters(TypedDict, total=False):
    """``date_from`` is inclusive, ``date_until`` exclusive. ``subscription`` is an
    external id of yours, or ``by_id(subscription_id)``.
    """

    external_customer_id: str
    subscription: str | int
    payment_state: Literal[
        "not_paid", "in_payment", "paid", "partial", "reversed", "blocked"
    ]
    date_from: date | str
    date_until: date | str


class InvoiceRoutes(Routes):
    """Posted invoices and credit notes of your customers."""

    def list_invoices(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        **filters: Unpack[InvoiceFilters],
    ) -> Page[Invoice]:
        """One page, in the order they were made."""
        query = query_of(filters)
        return self._page(Invoice, "/invoices", "invoices", query, limit, cursor)

    def iter_invoices(
        self, *, cursor: str | None = None, **filters: Unpack[InvoiceFilters]
    ) -> Iterator[Invoice]:
        """All of them, page by page as they are needed."""
        return every(
            lambda c: self.list_invoices(limit=1000, cursor=c, **filters), cursor
        )

    def invoice(self, invoice_id: int) -> InvoiceWithLines:
        """One with its lines, and the usage behind them.

        :raises NotFoundError: ``unknown_invoice``
        """
        route = path("invoices", invoice_id)
        return decode(InvoiceWithLines, self._transport.call("GET", route))

    def invoice_pdf(self, invoice_id: int) -> bytes:
        """The file as the customer gets it.

        :raises NotFoundError: ``unknown_invoice``
        :raises RetryLaterError: ``pdf_unavailable``: the server's administrator must
            see to it
        """
        route = path("invoices", invoice_id, "pdf")
        return self._transport.download(route, "application/pdf")
