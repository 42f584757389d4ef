import unittest
from datetime import date

from ..billing.start import first_billed_day, periods_due, periods_of
from ..errors import BillingError

TODAY = date(2026, 3, 10)


class TestFirstBilledDay(unittest.TestCase):
    def _refused(self, start, until, unit="month", value=1, aligned=False):
        with self.assertRaises(BillingError) as caught:
            first_billed_day(periods_of(unit, value, aligned, start), until, TODAY)
        self.assertEqual(caught.exception.field, "billed_until")
        return caught.exception

    def test_nothing_is_over_and_nothing_need_be_said(self):
        for unit, value, aligned, start in (
            ("month", 1, False, date(2026, 3, 10)),
            ("month", 1, False, date(2026, 2, 11)),  # its first month ends tomorrow
            ("month", 1, False, date(2026, 5, 1)),
            ("week", 2, False, date(2026, 2, 25)),
            ("year", 1, False, date(2025, 3, 11)),
            ("month", 1, True, date(2026, 3, 5)),
        ):
            with self.subTest(start=start, unit=unit):
                periods = periods_of(unit, value, aligned, start)
                self.assertEqual(first_billed_day(periods, None, TODAY), start)

    def test_a_period_is_over_and_it_must_be_said(self):
        for unit, value, aligned, start in (
            ("month", 1, False, date(2026, 2, 10)),  # its first month ended yesterday
            ("month", 1, False, date(2024, 4, 1)),
            ("week", 2, False, date(2026, 2, 24)),
            ("year", 1, False, date(2025, 3, 10)),
            ("month", 3, False, date(2025, 12, 10)),
            # up to the first month of the calendar is a period, too
            ("month", 1, True, date(2026, 2, 25)),
        ):
            with self.subTest(start=start, unit=unit):
                refusal = self._refused(start, None, unit, value, aligned)
                self.assertEqual(refusal.code, "missing_field")
                self.assertTrue(refusal.message.startswith("billed_until required"))

    def test_the_first_day_of_a_period(self):
        for unit, value, aligned, start, until in (
            ("month", 1, False, date(2026, 1, 31), date(2026, 1, 31)),
            ("month", 1, False, date(2026, 1, 31), date(2026, 2, 28)),
            ("month", 1, False, date(2025, 12, 31), date(2026, 3, 31)),  # the next
            ("month", 1, True, date(2026, 1, 15), date(2026, 1, 15)),
            ("month", 1, True, date(2026, 1, 15), date(2026, 2, 1)),
            ("month", 3, True, date(2025, 11, 5), date(2026, 1, 1)),
            ("week", 1, False, date(2026, 2, 24), date(2026, 3, 10)),
            ("year", 1, False, date(2024, 2, 29), date(2026, 2, 28)),
            ("month", 1, False, date(2026, 5, 1), date(2026, 5, 1)),
        ):
            with self.subTest(start=start, until=until):
                periods = periods_of(unit, value, aligned, start)
                self.assertEqual(first_billed_day(periods, until, TODAY), until)

    def test_any_other_day_is_refused(self):
        for start, until, said in (
            (date(2026, 1, 1), date(2025, 12, 31), "before start_date"),
            # the last day that was billed, where the day after it is asked for
            (date(2026, 1, 1), date(2026, 2, 28), "as 2026-03-01 is"),
            (date(2026, 1, 1), date(2026, 3, 2), "as 2026-04-01 is"),
            (date(2026, 1, 1), date(2026, 4, 2), "the latest is 2026-04-01"),
            (date(2026, 1, 1), date(2026, 5, 1), "the latest is 2026-04-01"),
            (date(2026, 5, 1), date(2026, 6, 1), "the latest is 2026-05-01"),
        ):
            with self.subTest(start=start, until=until):
                refusal = self._refused(start, until)
                self.assertEqual(refusal.code, "invalid_billed_until")
                self.assertIn(said, refusal.message)


class TestPeriodsDue(unittest.TestCase):
    def test_those_that_have_begun(self):
        """On 10 March, of months from 1 January 2024 on: 27 of them have begun."""
        periods = periods_of("month", 1, False, date(2024, 1, 1))
        for first, end, count in (
            (date(2024, 1, 1), None, 27),
            (date(2026, 3, 1), None, 1),
            (date(2026, 4, 1), None, 0),
            (date(2026, 1, 1), date(2026, 2, 1), 1),
            (date(2026, 1, 1), date(2026, 2, 2), 2),
            (date(2026, 1, 1), date(2025, 6, 1), 0),
        ):
            with self.subTest(first=first, end=end):
                self.assertEqual(periods_due(periods, first, TODAY, end), count)

    def test_the_days_before_the_first_month_of_the_calendar_count(self):
        periods = periods_of("month", 1, True, date(2026, 1, 15))
        self.assertEqual(periods_due(periods, date(2026, 1, 15), TODAY, None), 3)
