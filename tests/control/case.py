from datetime import date

from odoo.fields import Command

from ..common import BillingCase

JANUARY = date(2026, 1, 1), date(2026, 1, 31)


class ControlCase(BillingCase):
    """Calls: 100 are included, each above costs 0.50; the windows are January 2026."""

    def control(self, start=JANUARY[0], end=JANUARY[1], **values):
        """The computed control totals of a period."""
        control = self.env["fusion.billing.control"].create(
            {"date_start": start, "date_end": end} | values
        )
        control.action_compute()
        return control

    def line(self, control, order=None, service=None, metric=None):
        """The one line of a subscription (the first one's unless another is given)."""
        lines = control.line_ids.filtered(
            lambda x: (
                x.subscription_id == (order or self.order)
                and x.metric_id == (metric or self.metric)
                and (not service or x.service_id == service)
            )
        )
        self.assertEqual(len(lines), 1)
        return lines

    def bill(self, order=None, post=True):
        """The invoice of the window."""
        invoice = (order or self.order)._create_invoices(final=True)
        if post:
            invoice.action_post()
        return invoice

    def usage_line(self, invoice):
        return invoice.invoice_line_ids.filtered("fc_rating_ids")

    def credit(self, invoice, again=False):
        """A posted credit note over the whole invoice."""
        credit = invoice._reverse_moves()
        credit.fc_bill_again = again
        credit.action_post()
        return credit

    def declare(self, quantity, order=None, **values):
        record = self.env["fusion.billing.reconciliation"].create(
            {
                "service_id": self.service.id,
                "subscription_id": (order or self.order).id,
                "metric_id": self.metric.id,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
                "declared_quantity": quantity,
            }
            | values
        )
        record.action_compare()
        return record

    def figures(self, row, *names):
        return tuple(row[name] for name in names)

    def adds_up(self, row):
        """Each link: what is left is what explains it (see models/control/figures)."""
        amounts = "open forgiven edited tax rounding draft posted".split()
        parts = sum(row[f"{name}_amount"] for name in amounts)
        self.assertAlmostEqual(
            row.rated_amount, parts + row.amount_unexplained, places=6
        )
        self.assertAlmostEqual(
            row.posted_amount + row.conversion_amount, row.journal_balance, places=6
        )
        self.assertAlmostEqual(
            row.accepted_quantity - row.rated_quantity, row.rated_difference
        )
        if row.is_declared:
            self.assertAlmostEqual(
                row.declared_quantity - row.accepted_quantity,
                row.unallocated_quantity
                + row.moved_out_quantity
                - row.moved_in_quantity
                + row.void_difference
                + row.tolerated_quantity
                + row.explained_quantity
                + row.declared_unexplained,
            )

    def another_app(self):
        """A second app with a customer and a subscription of its own."""
        service = self._create_service(code="second-app", name="Second App")
        partner = self.env["res.partner"].create({"name": "Second Customer"})
        self._create_link(
            service_id=service.id, external_id="acc-2", partner_id=partner.id
        )
        return service, partner

    def euro_like(self):
        """A currency of which 0.8 make one of the company's."""
        currency = self.env["res.currency"].create(
            {"name": "XTS", "symbol": "T", "rounding": 0.01}
        )
        self.env["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "name": "2020-01-01",
                "rate": 0.8,
                "company_id": self.company.id,
            }
        )
        return currency

    def taxed_product(self):
        """Of 50.00 with 21 % included, 41.32 are revenue and 8.68 tax."""
        tax = self.env["account.tax"].create(
            {
                "name": "21 % included",
                "amount": 21,
                "amount_type": "percent",
                "type_tax_use": "sale",
                "price_include_override": "tax_included",
            }
        )
        return self._create_product(name="Taxed", taxes_id=[Command.set(tax.ids)])
