from datetime import date, datetime
from unittest import TestCase

from demo.month import Month


class MonthTest(TestCase):
    def test_the_month_before(self):
        for today, start, end in (
            (date(2027, 1, 1), date(2026, 12, 1), date(2027, 1, 1)),
            (date(2028, 3, 31), date(2028, 2, 1), date(2028, 3, 1)),
            (date(2026, 11, 22), date(2026, 10, 1), date(2026, 11, 1)),
        ):
            self.assertEqual(Month.before(today), Month(start, end))

    def test_a_month_by_name(self):
        december = Month(date(2026, 12, 1), date(2027, 1, 1))
        self.assertEqual(Month.parse("2026-12"), december)
        for text in ("2026-13", "2026-1", "2026", "next"):
            with self.assertRaises(ValueError):
                Month.parse(text)

    def test_last_and_next_day(self):
        february = Month.parse("2028-02")
        self.assertEqual(february.day("1"), date(2028, 2, 1))
        self.assertEqual(february.day("last"), date(2028, 2, 29))
        self.assertEqual(february.day("next"), date(2028, 3, 1))

    def test_half_open(self):
        month = Month.parse("2026-04")
        self.assertTrue(month.contains(datetime(2026, 4, 1)))
        self.assertTrue(month.contains(datetime(2026, 4, 30, 23, 59, 59)))
        self.assertFalse(month.contains(datetime(2026, 5, 1)))
        self.assertFalse(month.contains(datetime(2026, 3, 31, 23, 59, 59)))
