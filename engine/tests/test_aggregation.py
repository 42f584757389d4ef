import itertools
import unittest
from datetime import datetime
from decimal import Decimal

from ..billing.aggregation import AGGREGATIONS, aggregate

EVENTS = (
    (datetime(2026, 1, 2), 1, Decimal("3"), "user-a"),
    (datetime(2026, 1, 9), 2, Decimal("1.5"), "user-b"),
    (datetime(2026, 1, 9), 3, Decimal("2"), None),  # same time, came later
    (datetime(2026, 1, 5), 4, Decimal("7.25"), "user-a"),
)


class TestAggregate(unittest.TestCase):
    def test_each_kind_whatever_the_order(self):
        for kind, expected in (
            ("sum", "13.75"),
            ("count", "4"),
            ("max", "7.25"),
            ("last", "2"),
            ("unique", "2"),
        ):
            for events in itertools.permutations(EVENTS):
                with self.subTest(kind=kind, events=[event[1] for event in events]):
                    self.assertEqual(aggregate(kind, iter(events)), Decimal(expected))

    def test_no_events_are_zero(self):
        for kind in AGGREGATIONS:
            with self.subTest(kind=kind):
                self.assertEqual(aggregate(kind, ()), 0)

    def test_the_sum_is_exact_beyond_28_digits(self):
        big, small = Decimal("9" * 30), Decimal("0.0000000001")
        events = [
            (datetime(2026, 1, 1), n, q, None) for n, q in enumerate((big, small))
        ]
        self.assertEqual(str(aggregate("sum", events)), "9" * 30 + ".0000000001")

    def test_an_unknown_kind_is_refused(self):
        with self.assertRaises(ValueError):
            aggregate("median", EVENTS)
