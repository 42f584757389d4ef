from collections import Counter
from decimal import Decimal
from unittest import TestCase

from demo import expected
from demo.catalog import APPS, CHARGES
from demo.expected import AppBooks, Figure, Verdict
from demo.month import Month
from demo.tests.rows import row

MONTH = Month.parse("2026-04")
ACCEPTED = Verdict("accepted")
DUPLICATE = Verdict("duplicate")
CONFLICT = Verdict("conflict", "idempotency_conflict")


def books(*rows):
    book = AppBooks(APPS[0], MONTH)
    book.post(rows)
    return book


class VerdictTest(TestCase):
    def assert_verdicts(self, rows, *verdicts):
        self.assertEqual(books(*rows).verdicts, list(verdicts))

    def test_same_key_same_content(self):
        self.assert_verdicts(
            [row(), row(), row(quantity="2.50")], ACCEPTED, DUPLICATE, DUPLICATE
        )

    def test_same_key_other_content(self):
        for change in (
            {"quantity": "2.6"},
            {"time": "10:00:01"},
            {"minutes": "59"},
            {"unique_key": "u"},
        ):
            self.assert_verdicts([row(), row(**change)], ACCEPTED, CONFLICT)

    def test_the_first_of_a_key_is_kept(self):
        book = books(row(), row(quantity="9"))
        [event] = book.kept.values()
        self.assertEqual(event.quantity, Decimal("2.5"))

    def test_a_key_counts_within_subscription_and_metric(self):
        other = row(
            customer="nexacloud-b",
            subscription="nexacloud-b-subscription",
            quantity="9",
        )
        storage = row(metric="storage_gb_hours", quantity="9")
        self.assert_verdicts([row(), other, storage], ACCEPTED, ACCEPTED, ACCEPTED)

    def test_without_key_the_content_counts(self):
        keyless = row(idempotency_key="")
        later = row(idempotency_key="", time="10:00:01")
        self.assert_verdicts(
            [keyless, keyless, later, row()], ACCEPTED, DUPLICATE, ACCEPTED, ACCEPTED
        )

    def test_refused(self):
        for code, change in (
            ("missing_field", {"quantity": ""}),
            ("missing_field", {"metric": ""}),
            ("missing_field", {"subscription": ""}),
            ("missing_field", {"metric": "tracked_devices"}),
            ("invalid_quantity", {"quantity": "NaN"}),
            ("invalid_quantity", {"quantity": "-1"}),
            ("invalid_quantity", {"quantity": "1e3"}),
            ("invalid_quantity", {"quantity": "0.12345678901"}),
            ("invalid_quantity", {"quantity": "10000000000000000"}),
            ("invalid_period", {"time": "25:61:00"}),
            ("invalid_period", {"time": "noon"}),
            ("period_order", {"minutes": "-5"}),
            ("unknown_metric", {"metric": "coffee_cups"}),
            ("unknown_subscription", {"subscription": "2147483000"}),
            ("unknown_subscription", {"subscription": "nexadesk-a-subscription"}),
        ):
            with self.subTest(code=code, change=change):
                self.assert_verdicts([row(**change)], Verdict("rejected", code))

    def test_a_refused_event_does_not_take_the_key(self):
        rows = [row(quantity="-1"), row()]
        self.assert_verdicts(rows, Verdict("rejected", "invalid_quantity"), ACCEPTED)

    def test_counts(self):
        counts = books(row(), row(), row(quantity="3"), row(quantity="x")).counts()
        right = {"accepted": 1, "duplicate": 1, "conflict": 1, "rejected": 1}
        self.assertEqual(counts, Counter(right | {"posted": 4}))


class PriceTest(TestCase):
    def test_amounts(self):
        for metric, quantity, right in (
            # 0.0475 each above 100
            ("compute_hours", "99.9999999999", "0"),
            ("compute_hours", "100", "0"),
            ("compute_hours", "101", "0.05"),  # 0.0475
            ("compute_hours", "102", "0.10"),  # 0.095, half a cent goes up
            ("compute_hours", "2820.0393", "129.20"),  # 2720.0393 x 0.0475 = 129.2018
            # 0.13 per 1,000, nothing free
            ("storage_gb_hours", "38.4615384615", "0.00"),  # just below half a cent
            ("storage_gb_hours", "38.4615384616", "0.01"),  # just above
            ("storage_gb_hours", "1000", "0.13"),
            # 12.50 for each 50 begun above 100
            ("tickets", "100", "0"),
            ("tickets", "100.0000000001", "12.50"),
            ("tickets", "150", "12.50"),
            ("tickets", "151", "25.00"),
            ("tickets", "250", "37.50"),
        ):
            with self.subTest(metric=metric, quantity=quantity):
                amount = expected.amount(CHARGES[metric], Decimal(quantity))
                self.assertEqual(amount, Decimal(right))

    def test_edges_of_the_month(self):
        book = books(
            row(idempotency_key="a", day="1", time="00:00:00", quantity="1"),
            row(idempotency_key="b", day="last", time="23:59:59", quantity="10"),
            row(idempotency_key="c", day="next", time="00:00:00", quantity="100"),
        )
        used, following = expected.figures([book], MONTH)
        key = "nexacloud-a", "compute_hours"
        self.assertEqual(used, {key: Figure(Decimal(11), Decimal(0))})
        self.assertEqual(following, {key: Figure(Decimal(100), Decimal(0))})

    def test_aggregations(self):
        events = [
            expected.read_event(row(quantity=quantity, unique_key=key), MONTH)
            for quantity, key in (("2", "x"), ("7", "y"), ("4", "x"))
        ]
        for metric, right in (
            ("compute_hours", 13),
            ("agent_seats", 7),
            ("tracked_devices", 2),
        ):
            self.assertEqual(expected.total(CHARGES[metric], events), right)


class InvoiceTest(TestCase):
    def test_base_fee_in_advance_and_usage_afterwards(self):
        used = {
            ("nexacloud-a", "compute_hours"): Figure(Decimal(2000), Decimal("90.25")),
            ("nexacloud-a", "storage_gb_hours"): Figure(Decimal(1), Decimal("0.00")),
        }
        first, second = expected.invoices(MONTH, used, Decimal(15))[:2]
        self.assertEqual((first.day, first.usage), ("2026-04-01", {}))
        self.assertEqual(first.total, Decimal("56.35"))  # 49.00 + 7.35
        self.assertEqual(second.day, "2026-05-01")
        # nothing to pay, no line
        self.assertEqual(second.usage, {"compute_hours": Decimal("90.25")})
        self.assertEqual(second.untaxed, Decimal("139.25"))
        # 7.35 + 13.54 (13.5375), rounded line by line
        self.assertEqual(second.tax, Decimal("20.89"))

    def test_one_customer_of_each_app_pays_its_first_invoice(self):
        paid = [i for i in expected.invoices(MONTH, {}, Decimal(15)) if i.paid]
        self.assertEqual(
            [(invoice.customer, invoice.day) for invoice in paid],
            [
                ("nexacloud-a", "2026-04-01"),
                ("nexadesk-a", "2026-04-01"),
                ("nexamaps-a", "2026-04-01"),
            ],
        )

    def test_two_for_each_customer(self):
        self.assertEqual(len(expected.invoices(MONTH, {}, Decimal(15))), 14)

    def test_webhooks(self):
        used = {("nexacloud-a", "compute_hours"): Figure()}
        counts = expected.webhooks(used)
        self.assertEqual(counts["customer.linked"], 7)
        self.assertEqual(counts["invoice.posted"], 14)
        self.assertEqual(counts["invoice.paid"], 3)
        self.assertEqual(counts["rating.closed"], 1)
