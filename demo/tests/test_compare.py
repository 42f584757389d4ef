"""A comparison that cannot fail would prove nothing: each test plants a difference."""

import contextlib
import io
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from unittest import TestCase

from demo import compare, compare_invoices, compare_webhooks, expected
from demo.catalog import APPS
from demo.expected import AppBooks, Figure, Invoice, Verdict
from demo.month import Month
from demo.run import conclude, log_problems
from demo.tables import number, table
from demo.tests.rows import row

MONTH = Month.parse("2026-04")
KEY = "nexacloud-a", "compute_hours"


class ComparisonTest(TestCase):
    def setUp(self):
        super().setUp()
        self.comparison = compare.Comparison()

    def assert_differs(self, *parts):
        """Exactly these differences, each told by a part of its sentence."""
        differences = self.comparison.differences
        self.assertEqual(len(differences), len(parts), differences)
        for part, sentence in zip(parts, differences, strict=True):
            self.assertIn(part, sentence)

    # ------------------------------------------------------------------------ usage

    def usage(self, verdicts, stored):
        book = AppBooks(APPS[0], MONTH)
        book.post([row(), row()])
        found = {APPS[0].code: verdicts}
        compare.usage_table(self.comparison, found, [book], {APPS[0].code: stored})

    def test_usage_as_expected(self):
        verdicts = [Verdict("accepted"), Verdict("duplicate")]
        self.usage(verdicts, {"events": 1, "unallocated": 0})
        self.assert_differs()

    def test_usage_stored_twice(self):
        verdicts = [Verdict("accepted"), Verdict("duplicate")]
        self.usage(verdicts, {"events": 2, "unallocated": 1})
        self.assert_differs("in Odoo is 2, should be 1", "outside every window is 1")

    def test_usage_judged_otherwise(self):
        verdicts = [Verdict("accepted"), Verdict("accepted")]
        self.usage(verdicts, {"events": 1, "unallocated": 0})
        self.assert_differs("event 2", "events accepted", "events duplicate")

    # ---------------------------------------------------------------------- ratings

    def test_ratings(self):
        right = {KEY: Figure(Decimal(200), Decimal("4.75"))}
        ratings = [
            {
                "customer": KEY[0],
                "metric": KEY[1],
                "window_start": "2026-04-01",
                "state": "invoiced",
                "quantity": "200.0000000000",
                "amount": "4.75",
            }
        ]
        found = compare.read_figures(ratings, "2026-04-01")
        compare.customer_table(self.comparison, "month", found, right)
        compare.charge_table(self.comparison, found, right)
        self.assert_differs()
        self.assertEqual(compare.read_figures(ratings, "2026-05-01"), {})

    def test_a_cent_too_much(self):
        right = {KEY: Figure(Decimal(200), Decimal("4.75"))}
        found = {KEY: Figure(Decimal(200), Decimal("4.76"))}
        compare.customer_table(self.comparison, "month", found, right)
        self.assert_differs("amount is 4.76, should be 4.75")

    def test_a_rating_missing_and_one_of_nobody(self):
        right = {KEY: Figure(Decimal(200), Decimal("4.75"))}
        found = {("stranger", "tickets"): Figure(Decimal(1), Decimal(0))}
        compare.customer_table(self.comparison, "month", found, right)
        self.assert_differs("quantity is 0", "amount is 0.00", "stranger")

    # --------------------------------------------------------------------- invoices

    def invoices(self, **changes):
        right = [
            Invoice(
                *(KEY[0], "2026-05-01", Decimal("49.00")),
                *({"compute_hours": Decimal("4.75")}, Decimal("8.06"), False),
            )
        ]
        move = {
            "number": "INV/1",
            "state": "posted",
            "day": "2026-05-01",
            "customer": KEY[0],
            "name": "Sample Customer A (NexaCloud)",
            "lines": [
                {"metric": "", "text": "Base fee", "amount": "49.00"},
                {"metric": "compute_hours", "text": "Hours", "amount": "4.75"},
            ],
            "untaxed": "53.75",
            "tax": "8.06",
            "total": "61.81",
            "paid": False,
        }
        compare_invoices.invoice_table(self.comparison, [move | changes], right)

    def test_invoice_as_expected(self):
        self.invoices()
        self.assert_differs()

    def test_invoice_not_posted(self):
        self.invoices(state="draft")
        self.assert_differs("state is draft")

    def test_invoice_paid_too_soon(self):
        self.invoices(paid=True)
        self.assert_differs("paid is yes")

    def test_invoice_on_another_day(self):
        self.invoices(day="2026-05-02")
        self.assert_differs("on 2026-05-02 is there", "on 2026-05-01 is absent")

    def test_invoice_without_usage(self):
        lines = [{"metric": "", "text": "Base fee", "amount": "49.00"}]
        self.invoices(lines=lines)
        self.assert_differs("Compute hours is 0.00, should be 4.75")

    # --------------------------------------------------------------------- webhooks

    def webhooks(self, **changes):
        outbox = [
            {
                "event_id": "evt_1",
                "event_type": "invoice.posted",
                "app": "nexacloud",
                "state": "sent",
                "attempts": 2,
            }
        ]
        arrival = {
            "app": "nexacloud",
            "event_id": "evt_1",
            "event_type": "invoice.posted",
            "fusion": True,
            "standard": True,
            "intact": True,
            "repeated": False,
            "answered": 200,
        }
        refused = arrival | {"answered": 503}
        arrivals = [refused, arrival | changes]
        right = Counter({"invoice.posted": 1})
        compare_webhooks.webhook_table(self.comparison, outbox, arrivals, right)
        compare_webhooks.retries(self.comparison, outbox, arrivals)

    def test_webhooks_as_expected(self):
        self.webhooks()
        self.assert_differs()

    def test_webhook_at_the_wrong_app(self):
        self.webhooks(app="nexadesk")
        self.assert_differs("at the right app is 0")

    def test_webhook_nobody_wrote(self):
        self.webhooks(event_id="evt_2")
        self.assert_differs(
            *("received is 0", "X-Fusion-Signature", "Standard Webhooks"),
            *("right app", "nobody wrote is 1", "accepted later"),
        )

    def test_webhook_type_missing(self):
        right = Counter({"rating.closed": 2})
        compare_webhooks.webhook_table(self.comparison, [], [], right)
        self.assert_differs("rating.closed written is 0, should be 2")


class ExitCodeTest(TestCase):
    def exit_code(self, found, right):
        comparison = compare.Comparison()
        comparison.check("the total", found, right)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = conclude(comparison, Path("run"))
        return code, printed.getvalue()

    def test_all_right(self):
        code, text = self.exit_code(1, 1)
        self.assertEqual(code, 0)
        self.assertIn("ALL RIGHT: 1 figures", text)

    def test_different(self):
        code, text = self.exit_code(1, 2)
        self.assertEqual(code, 1)
        self.assertIn("the total is 1, should be 2", text)


class LogTest(TestCase):
    def test_problems(self):
        good = "2026-01-01 00:00:00,000 7 INFO fcb_demo odoo.sql_db: a WARNING to read"
        bad = "2026-01-01 00:00:00,000 7 WARNING fcb_demo odoo.addons.x: look"
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "demo-x.log")
            log.write_text(f"{good}\n{bad}\n")
            found = log_problems([log, Path(folder, "absent.log")])
        self.assertEqual(found, [f"demo-x.log: {bad}"])


class TableTest(TestCase):
    def test_table(self):
        text = table(("App", ">Events"), [["A", "1,000"], ["Long name", "2"]])
        self.assertEqual(
            text,
            "  App        Events\n"
            "  ---------  ------\n"
            "  A           1,000\n"
            "  Long name       2",
        )

    def test_numbers(self):
        for value, text in (
            ("1000", "1,000"),
            ("1234.5600", "1,234.56"),
            ("0.0000000001", "0.0000000001"),
            ("0", "0"),
        ):
            self.assertEqual(number(Decimal(value)), text)

    def test_cents_round_half_up(self):
        self.assertEqual(expected.cents(Decimal("0.005")), Decimal("0.01"))
