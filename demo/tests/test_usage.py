"""The usage file: made by the generator, and holding what it says."""

from collections import Counter
from unittest import TestCase

from demo import expected, make_usage
from demo.catalog import APPS
from demo.month import Month

MONTH = Month.parse("2026-04")
STATUS_OF_NOTE = {
    "": "accepted",
    "no key": "accepted",
    "edge": "accepted",
    "repeated": "duplicate",
    "conflict": "conflict",
    "invalid": "rejected",
}


class UsageFileTest(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows = make_usage.read_rows()
        cls.books = {app.code: expected.AppBooks(app, MONTH) for app in APPS}
        cls.verdicts = [cls.books[r["app"]].post([r])[0] for r in cls.rows]

    def test_the_file_is_what_the_generator_makes(self):
        text = make_usage.PATH.read_text(encoding="utf-8")
        self.assertEqual(make_usage.to_csv(make_usage.make_rows()), text)

    def test_each_row_becomes_what_its_note_says(self):
        for row, verdict in zip(self.rows, self.verdicts, strict=True):
            kind = row["note"].partition(":")[0]
            self.assertEqual(verdict.status, STATUS_OF_NOTE[kind], row)

    def test_every_kind_is_there_for_every_app(self):
        kinds = {(r["app"], r["note"].partition(":")[0]) for r in self.rows}
        self.assertEqual(kinds, {(a.code, k) for a in APPS for k in STATUS_OF_NOTE})

    def test_every_error_code_is_there(self):
        codes = Counter(verdict.code for verdict in self.verdicts)
        right = {
            *("", "idempotency_conflict", "invalid_period", "invalid_quantity"),
            *("missing_field", "period_order", "unknown_metric"),
            "unknown_subscription",
        }
        self.assertEqual(set(codes), right)

    def test_several_thousand_rows(self):
        self.assertEqual(len(self.rows), 5210)

    def test_quantities_at_a_limit(self):
        used, _following = expected.figures(self.books.values(), MONTH)
        # 3 packages above the quota of 100, not one more
        tickets = used["nexadesk-b", "tickets"]
        self.assertEqual((tickets.quantity, str(tickets.amount)), (250, "37.50"))
        # as many seats as are free, below the free hours
        self.assertEqual(used["nexadesk-b", "agent_seats"].quantity, 3)
        self.assertEqual(used["nexadesk-b", "agent_seats"].amount, 0)
        self.assertEqual(used["nexacloud-c", "compute_hours"].quantity, 90)
        self.assertNotIn(("nexacloud-c", "storage_gb_hours"), used)

    def test_the_month_does_not_matter_to_the_figures(self):
        figures = []
        for name in ("2026-02", "2028-02", "2026-12"):
            month = Month.parse(name)
            books = [expected.AppBooks(app, month) for app in APPS]
            for book in books:
                book.post(r for r in self.rows if r["app"] == book.app.code)
            figures.append(expected.figures(books, month))
        self.assertEqual(figures[0], figures[1])
        self.assertEqual(figures[0], figures[2])
