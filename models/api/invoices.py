from decimal import Decimal

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...engine.api import answers
from ...engine.api.query import DEFAULT_LIMIT
from ...engine.api.reference import reference_id
from ...engine.errors import BillingError, NotFoundError
from ..base.reachable import answers_in_time
from ..base.render import amount, number, page_end
from ..invoice.account_move_line import UPSELL
from ..subscription.account import account_link_sql


class FusionBillingApiInvoices(models.AbstractModel):
    """Invoices of linked customers, as the API shows them."""

    _name = "fusion.billing.api.invoices"
    _description = "API: Invoices"

    def _invoice_domain(self, link=None):
        """Posted for this service's customers, also where cancelled since.

        :param link: only those of this ``fusion.billing.account.link``
        """
        self.ensure_one()
        return (
            Domain("move_type", "in", ("out_invoice", "out_refund"))
            & Domain("company_id", "=", self.company_id.id)
            & (
                Domain("state", "=", "posted")
                | (Domain("state", "=", "cancel") & Domain("posted_before", "=", True))
            )
            & Domain.custom(
                to_sql=lambda _model, alias, _query: self._invoice_condition(
                    SQL.identifier(alias), link
                )
            )
        )

    def _invoice_condition(self, move, link):
        """SQL: whether a row of ``account_move`` is for this service to see.

        As ``_fc_services()`` of the invoice: asked are the subscriptions on it, where
        it has any, and else who it is for.
        """
        self.env.flush_all()
        on_invoice = SQL(
            """
            SELECT FROM account_move_line l
              JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = l.id
              JOIN sale_order_line ol ON ol.id = rel.order_line_id
              JOIN sale_order x ON x.id = ol.order_id
              JOIN sale_order o ON o.id = CASE
                   WHEN x.is_subscription THEN x.id
                   WHEN x.subscription_state = %(upsell)s THEN x.subscription_id END
              JOIN res_partner p ON p.id = o.partner_id
             WHERE l.move_id = %(move)s.id
            """,
            upsell=UPSELL,
            move=move,
        )
        is_known = SQL("= %s", link.id) if link else SQL("IS NOT NULL")
        return SQL(
            """
            (EXISTS (%(on_invoice)s
                        AND (o.fc_service_id IS NULL OR o.fc_service_id = %(service)s)
                        AND %(of_order)s %(is_known)s)
             OR NOT EXISTS (%(on_invoice)s)
                AND (SELECT %(of_payer)s FROM res_partner p
                      WHERE p.id = %(move)s.partner_id) %(is_known)s)
            """,
            on_invoice=on_invoice,
            service=self.id,
            move=move,
            of_order=account_link_sql(
                self, SQL.identifier("p"), SQL.identifier("o", "fc_account_link_id")
            ),
            of_payer=account_link_sql(self, SQL.identifier("p")),
            is_known=is_known,
        )

    def _api_invoices(self, query):
        """One page of invoices and credit notes, in order of their making
        (``InvoiceList``).

        :param dict query: values of the query parameters, see controllers/invoices.py
        :raises BillingError: ``unknown_customer``, ``unknown_subscription``
        """
        link = None
        if "external_customer_id" in query:
            link = self.env["fusion.billing.account.link"]._find(
                self, query["external_customer_id"]
            )
            if not link:
                raise BillingError(
                    "unknown_customer", "unknown customer", "external_customer_id"
                )
        domain = self._invoice_domain(link)
        if "subscription" in query:
            order = self._subscription_named(
                query["subscription"], field="subscription"
            )
            orders = self._with_renewals(order)
            domain &= Domain(
                "invoice_line_ids.sale_line_ids.order_id", "in", orders.ids
            )
        for name, field, operator in (
            ("payment_state", "payment_state", "="),
            ("date_from", "invoice_date", ">="),
            ("date_until", "invoice_date", "<"),
            ("cursor", "id", ">"),
        ):
            if name in query:
                domain &= Domain(field, operator, query[name])
        limit = query.get("limit", DEFAULT_LIMIT)
        moves = (
            self.env["account.move"].sudo().search(domain, order="id", limit=limit + 1)
        )
        return answers.InvoiceList(
            invoices=[
                answers.Invoice(**self._invoice_values(move)) for move in moves[:limit]
            ],
            **page_end("invoice", moves.ids, query),
        ).as_json()

    def _api_invoice(self, invoice_id):
        """One invoice with its lines, and the usage behind them (``InvoiceDetails``).

        :param str invoice_id: as it stands in the path
        :raises NotFoundError: ``unknown_invoice``
        """
        move = self._invoice_in_path(invoice_id)
        lines = move._fc_lines_of(self)
        ratings = move.fc_rating_ids.grouped("invoice_line_id")
        return answers.InvoiceDetails(
            **self._invoice_values(move),
            lines=[
                answers.InvoiceLine(
                    line_id=line.id,
                    name=line.name or "",
                    quantity=number(line.quantity),
                    price_unit=number(line.price_unit),
                    amount=amount(move.currency_id, line.price_subtotal),
                    subscription_id=line._fc_subscriptions()[:1].id or None,
                    usage=[_usage_of(rating) for rating in ratings.get(line, ())],
                )
                for line in lines
            ],
        ).as_json()

    def _api_invoice_pdf(self, invoice_id):
        """The invoice as the customer gets it: the bytes of a PDF file.

        The file that was sent, where there is one; else it is made now.

        :raises NotFoundError: ``unknown_invoice``
        :raises BillingError: ``shared_invoice``; ``pdf_unavailable``, or ``busy`` while
            one is made for this app, or it is another's turn
        """
        move = self._invoice_in_path(invoice_id)
        if move._fc_is_shared_with(self):
            raise BillingError(
                "shared_invoice", "the invoice bills subscriptions of another app, too"
            )
        if document := move._get_invoice_legal_documents("pdf"):
            return document["content"]
        if not self.env["fusion.billing.pdf.turn"]._take(self):
            raise BillingError("busy", "other PDF files are being made; ask again")
        self._check_report_address()
        try:
            # In the layout that is used when the invoice is sent. The file is not
            # stored: a GET request changes nothing, also when two come at once.
            layout = self.env["account.move.send"]._get_default_pdf_report_id(move)
            report = self.env["ir.actions.report"].with_context(
                report_pdf_no_attachment=True
            )
            content, kind = report._render_qweb_pdf(layout.id, move.ids)
        except UserError:
            kind = None
        if kind != "pdf":
            raise BillingError(
                "pdf_unavailable", "wkhtmltopdf is not installed, or failed"
            )
        return content

    def _check_report_address(self):
        """See that the program which makes PDF files will get styles and pictures.

        Without them it makes files that nobody wants, or waits for minutes.

        :raises BillingError: ``pdf_unavailable``
        """
        address = self.env["ir.actions.report"]._get_report_url()
        if not answers_in_time(f"{address.rstrip('/')}/web/health"):
            raise BillingError(
                "pdf_unavailable",
                "the server does not reach itself at the address in its system"
                " parameter report.url, or else web.base.url",
            )

    def _invoice_in_path(self, invoice_id):
        number = reference_id(invoice_id)
        move = self.env["account.move"].sudo()
        if number:
            move = move.search(
                Domain("id", "=", number) & self._invoice_domain(), limit=1
            )
        if not move:
            raise NotFoundError("unknown_invoice", "unknown invoice")
        return move

    def _invoice_values(self, move):
        """Of an ``Invoice``: what its webhook says, and more."""
        currency, amounts = move.currency_id, move._fc_amounts_of(self)
        return {
            **vars(move._fc_event_data(self)),
            "state": move.state,
            "payment_state": move.payment_state,
            "partner_id": move.partner_id.id,
            "amount_tax": amount(currency, amounts["tax"]),
            "amount_due": amount(currency, amounts["due"]),
            "pdf_path": f"/invoices/{move.id}/pdf",
        }


def _usage_of(rating):
    explanation = rating.explanation or {}
    return answers.InvoicedUsage(
        metric_code=rating.metric_id.code,
        window_start=rating.window_start,
        window_end=rating.window_end,
        quantity=Decimal(explanation.get("quantity", 0)),
        included=Decimal(explanation.get("included", 0)),
        billable=Decimal(explanation.get("billable", 0)),
        amount=amount(rating.currency_id, rating.amount_untaxed),
    )
