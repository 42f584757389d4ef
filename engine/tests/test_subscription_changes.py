import unittest
from dataclasses import replace
from datetime import date
from decimal import Decimal

from ..webhook.subscription_changes import Known, Line, changes_between

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
KNOWN = Known(
    plan_id=3,
    subscription_state="3_progress",
    start_date=JANUARY,
    last_invoice_date=JANUARY,
    next_invoice_date=FEBRUARY,
    end_date=None,
    pause_date=None,
    resume_date=None,
    lines={31: Line(12, Decimal(1)), 32: Line(13, Decimal("2.5"))},
)


class TestSubscriptionChanges(unittest.TestCase):
    def changes(self, **values):
        found = changes_between(KNOWN, replace(KNOWN, **values))
        return found and found.as_json()

    def test_nothing(self):
        self.assertIsNone(changes_between(KNOWN, KNOWN))

    def test_what_is_written_otherwise_is_no_change(self):
        lines = {31: Line(12, Decimal("1.0")), 32: Line(13, Decimal("2.50"))}
        self.assertIsNone(self.changes(lines=lines))

    def test_an_invoice_is_none(self):
        self.assertIsNone(
            self.changes(last_invoice_date=FEBRUARY, next_invoice_date=MARCH)
        )

    def test_the_next_invoice_alone_is_one(self):
        self.assertEqual(
            self.changes(next_invoice_date=MARCH),
            {"next_invoice_date": {"before": "2026-02-01", "after": "2026-03-01"}},
        )

    def test_several_and_no_more(self):
        self.assertEqual(
            self.changes(plan_id=4, subscription_state="4_paused", end_date=MARCH),
            {
                "plan_id": {"before": 3, "after": 4},
                "subscription_state": {"before": "3_progress", "after": "4_paused"},
                "end_date": {"before": None, "after": "2026-03-01"},
            },
        )

    def test_lines_that_come_change_and_go(self):
        lines = {32: Line(13, Decimal(3)), 33: Line(None, Decimal(1))}
        self.assertEqual(
            self.changes(lines=lines)["lines"],
            [
                {"line_id": 31, "product_id": 12, "before": "1", "after": "0"},
                {"line_id": 32, "product_id": 13, "before": "2.5", "after": "3"},
                {"line_id": 33, "product_id": None, "before": "0", "after": "1"},
            ],
        )

    def test_a_line_of_nothing_that_goes(self):
        lines = {31: Line(12, Decimal(0))}
        before = replace(KNOWN, lines=lines)
        self.assertIsNone(changes_between(before, replace(before, lines={})))
