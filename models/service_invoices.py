from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine.errors import BillingError, NotFoundError
from ..engine.query import DEFAULT_LIMIT
from ..engine.reference import reference_id
from .api_render import amount_text, decimal_text, iso_instant, page_end


class FusionBillingService(models.Model):
    """Invoices of linked customers, as the API shows them."""

    _inherit = "fusion.billing.service"

    def _invoice_domain(self):
        """Posted for this service's customers, also where cancelled since."""
        self.ensure_one()
        return (
            Domain("move_type", "in", ("out_invoice", "out_refund"))
            & Domain("company_id", "=", self.company_id.id)
            & (
                Domain("state", "=", "posted")
                | (Domain("state", "=", "cancel") & Domain("posted_before", "=", True))
            )
            & self._linked_partner_domain("partner_id")
        )

    def _api_invoices(self, query):
        """One page of invoices and credit notes, in order of their making.

        :param dict query: values of the query parameters, see controllers/invoices.py
        :raises BillingError: ``unknown_customer``, ``unknown_subscription``
        """
        domain = self._invoice_domain()
        if "external_customer_id" in query:
            link = self.env["fusion.billing.account.link"]._find(
                self, query["external_customer_id"]
            )
            if not link:
                raise BillingError(
                    "unknown_customer", "unknown customer", "external_customer_id"
                )
            domain &= Domain("partner_id", "child_of", link.partner_id.id)
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
        return {
            "status": "ok",
            "invoices": [self._invoice_item(move) for move in moves[:limit]],
            **page_end("invoice", moves.ids, query),
        }

    def _api_invoice(self, invoice_id):
        """One invoice with its lines, and the usage behind them.

        :param str invoice_id: as it stands in the path
        :raises NotFoundError: ``unknown_invoice``
        """
        move = self._invoice_in_path(invoice_id)
        lines = move.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )
        ratings = move.fc_rating_ids.grouped("invoice_line_id")
        return {
            "status": "ok",
            **self._invoice_item(move),
            "lines": [
                {
                    "line_id": line.id,
                    "name": line.name or "",
                    "quantity": decimal_text(line.quantity),
                    "price_unit": decimal_text(line.price_unit),
                    "amount": amount_text(move.currency_id, line.price_subtotal),
                    "subscription_id": line.sale_line_ids.order_id.filtered(
                        "is_subscription"
                    )[:1].id
                    or None,
                    "usage": [_usage_of(rating) for rating in ratings.get(line, ())],
                }
                for line in lines
            ],
        }

    def _api_invoice_pdf(self, invoice_id):
        """The invoice as the customer gets it: the bytes of a PDF file.

        The file that was sent, where there is one; else it is made now.

        :raises NotFoundError: ``unknown_invoice``
        :raises BillingError: ``pdf_unavailable``, or ``busy`` while one is made
        """
        move = self._invoice_in_path(invoice_id)
        if document := move._get_invoice_legal_documents("pdf"):
            return document["content"]
        # The program asks this server for styles and pictures. Did all of its workers
        # make a PDF file, they would wait for each other until the time limit.
        [[free]] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_xact_lock(hashtext('fcb_pdf'))")
        )
        if not free:
            raise BillingError("busy", "another PDF file is being made; ask again")
        try:
            # The customer's layout, as sending takes it. Not kept: reading leaves no
            # trace, also when two do it at once.
            layout = self.env["account.move.send"]._get_default_pdf_report_id(move)
            report = self.env["ir.actions.report"].with_context(
                report_pdf_no_attachment=True
            )
            content, kind = report._render_qweb_pdf(layout.id, move.ids)
        except UserError:
            kind = None  # the server lacks the program, or it failed
        if kind != "pdf":
            raise BillingError("pdf_unavailable", "PDF files cannot be made now")
        return content

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

    def _invoice_item(self, move):
        currency = move.currency_id
        return {
            **move._fc_event_data(self),
            "state": move.state,
            "payment_state": move.payment_state,
            "partner_id": move.partner_id.id,
            "amount_tax": amount_text(currency, move.amount_tax),
            "amount_due": amount_text(currency, move.amount_residual),
            "pdf_path": f"/invoices/{move.id}/pdf",
        }


def _usage_of(rating):
    explanation = rating.explanation or {}
    return {
        "metric_code": rating.metric_id.code,
        "window_start": iso_instant(rating.window_start),
        "window_end": iso_instant(rating.window_end),
        "quantity": explanation.get("quantity", "0"),
        "included": explanation.get("included", "0"),
        "billable": explanation.get("billable", "0"),
        "amount": amount_text(rating.currency_id, rating.amount_untaxed),
    }
