from datetime import date

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestSections(BillingCase):
    """Under which headings usage stands, on the order and on its invoices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup_product = cls._create_product(
            name="Setup", recurring_invoice=False, list_price=99.0
        )

    def _order(self, *lines, **values):
        """A subscription with these lines: headings, notes and products."""
        order = self._create_order(
            order_line=[
                Command.create(
                    {"display_type": line[0], "name": line[1]}
                    if isinstance(line, tuple)
                    else {"product_id": line.id}
                )
                for line in lines
            ],
            **values,
        )
        order.action_confirm()
        self._set_window(order, date(2026, 1, 1), date(2026, 2, 1))
        return order

    def _sample(self):
        return self._order(
            ("line_section", "MONTHLY"),
            self.base_product,
            ("line_section", "ONCE"),
            self.setup_product,
        )

    def _texts(self, lines):
        """First words of lines, in the order they are printed in."""
        lines = lines.sorted(lambda line: (line.sequence, line.id))
        return [
            "usage"
            if "fc_charge_id" in line._fields and line.fc_charge_id
            else line.name.split("\n")[0]
            for line in lines
        ]

    def _invoice(self, order, month):
        order.invalidate_recordset(["order_line"])  # what a test has moved
        with freeze_time(date(2026, month, 1)):
            invoice = order._create_invoices()
            self._set_window(order, date(2026, month, 1), date(2026, month + 1, 1))
        return [
            "usage" if line.fc_rating_ids else line.name.split("\n")[0].split(" - ")[0]
            for line in invoice.invoice_line_ids.sorted(lambda x: (x.sequence, x.id))
        ]

    def test_usage_stands_with_what_recurs(self):
        """It came last, under the heading of what is paid once."""
        order = self._sample()
        self._record(110, order=order)
        order._fc_rate_usage()
        self.assertEqual(
            self._texts(order.order_line),
            ["MONTHLY", "Base fee", "usage", "ONCE", "Setup"],
        )
        self.assertEqual(
            self._invoice(order, 2), ["MONTHLY", "Base fee", "usage", "ONCE", "Setup"]
        )

    def test_line_made_while_invoicing(self):
        """It is in its place on that very invoice."""
        order = self._sample()
        self._record(110, order=order)
        lines = order.order_line  # known before the usage line is made
        self.assertEqual(len(lines), 4)
        with freeze_time("2026-02-01"):
            invoice = order._create_invoices()
        self.assertEqual(
            [bool(line.fc_rating_ids) for line in invoice.invoice_line_ids.sorted()],
            [False, False, True, False, False],
        )

    def test_second_metric(self):
        storage = self._create_metric(code="storage", name="Storage")
        self._create_charge(metric_id=storage.id, included_quota=0)
        order = self._sample()
        for metric in (storage, self.metric):
            self._record(110, order=order, metric=metric)
            order._fc_rate_usage()
        self.assertEqual(
            self._texts(order.order_line),
            ["MONTHLY", "Base fee", "usage", "usage", "ONCE", "Setup"],
        )

    def test_numbered_as_the_form_does(self):
        order = self._sample()
        for number, line in enumerate(order.order_line):
            line.sequence = number
        self._record(110, order=order)
        order._fc_rate_usage()
        self.assertEqual(
            self._texts(order.order_line),
            ["MONTHLY", "Base fee", "usage", "ONCE", "Setup"],
        )

    def test_a_note_stays_with_its_product(self):
        order = self._order(
            self.base_product,
            ("line_note", "Ten users"),
            ("line_section", "ONCE"),
            self.setup_product,
        )
        self._record(110, order=order)
        order._fc_rate_usage()
        self.assertEqual(
            self._texts(order.order_line),
            ["Base fee", "Ten users", "usage", "ONCE", "Setup"],
        )

    def test_no_heading_without_lines(self):
        """A usage line that came to 0 had its heading printed all the same."""
        order = self._order(
            ("line_section", "MONTHLY"),
            self.base_product,
            ("line_section", "USAGE"),
            ("line_subsection", "Of the servers"),
            ("line_note", "As you go"),
        )
        self._record(110, order=order)
        order._fc_rate_usage()
        usage = self._usage_line(order)
        usage.sequence = max(order.order_line.mapped("sequence")) + 1
        self.assertEqual(
            self._invoice(order, 2),
            ["MONTHLY", "Base fee", "USAGE", "Of the servers", "As you go", "usage"],
        )
        self.assertEqual(self._invoice(order, 3), ["MONTHLY", "Base fee"])

    def test_heading_above_two_subheadings(self):
        """Only the empty one goes."""
        order = self._order(
            ("line_section", "MONTHLY"),
            ("line_subsection", "Usage"),
            ("line_subsection", "Fees"),
            self.base_product,
        )
        self._record(110, order=order)
        order._fc_rate_usage()
        for number, line in enumerate(order.order_line - self._usage_line(order)):
            line.sequence = 10 * number
        self._usage_line(order).sequence = 15
        self.assertEqual(
            self._invoice(order, 2), ["MONTHLY", "Usage", "usage", "Fees", "Base fee"]
        )
        self.assertEqual(self._invoice(order, 3), ["MONTHLY", "Fees", "Base fee"])

    def test_nothing_moves_without_headings(self):
        order = self._order(self.base_product)
        before = order.order_line.mapped("sequence")
        self._record(110, order=order)
        order._fc_rate_usage()
        self.assertEqual(order.order_line.mapped("sequence"), before * 2)
