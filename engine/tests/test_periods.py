import unittest
from datetime import date, datetime

from ..billing.periods import (
    Window,
    day_start_utc,
    parse_instant,
    parse_timestamp,
    window_between,
)
from ..errors import BillingError


class TestWindow(unittest.TestCase):
    def test_the_start_belongs_to_it_and_the_end_does_not(self):
        window = Window(datetime(2026, 1, 1), datetime(2026, 2, 1))
        for moment, inside in (
            (datetime(2025, 12, 31, 23, 59, 59, 999999), False),
            (datetime(2026, 1, 1), True),
            (datetime(2026, 1, 31, 23, 59, 59, 999999), True),
            (datetime(2026, 2, 1), False),
        ):
            with self.subTest(moment=moment):
                self.assertEqual(window.contains(moment), inside)
        self.assertFalse(window.is_empty)
        self.assertTrue(Window(window.start, window.start).is_empty)

    def test_whole_local_days(self):
        # the clocks of Toronto go from UTC-5 to UTC-4 on 8 March 2026
        window = window_between(date(2026, 3, 1), date(2026, 4, 1), "America/Toronto")
        self.assertEqual(
            window, Window(datetime(2026, 3, 1, 5), datetime(2026, 4, 1, 4))
        )


class TestDayStart(unittest.TestCase):
    def test_first_instant_of_the_local_day(self):
        for day, zone, expected in (
            ("2026-01-01", "UTC", "2026-01-01T00:00:00"),
            ("2026-01-01", "America/Toronto", "2026-01-01T05:00:00"),
            ("2026-07-01", "America/Toronto", "2026-07-01T04:00:00"),
            ("2026-07-01", "Asia/Kolkata", "2026-06-30T18:30:00"),
            # 00:00 was skipped: the day began at 01:00, UTC-2
            ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00"),
            # skipped from 23:30 the day before to 00:30, UTC-4
            ("1919-03-31", "America/Toronto", "1919-03-31T04:30:00"),
            # all of 30 December 2011 was skipped
            ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00"),
            ("2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00"),
            # 00:00 came twice, first at UTC-4
            ("2020-11-01", "America/Havana", "2020-11-01T04:00:00"),
        ):
            with self.subTest(day=day, zone=zone):
                self.assertEqual(
                    day_start_utc(date.fromisoformat(day), zone),
                    datetime.fromisoformat(expected),
                )

    def test_an_unknown_zone_is_refused(self):
        for zone in ("Mars/Olympus", "", "../../etc/passwd", "Europe", "UTC\0"):
            with self.subTest(zone=zone):
                with self.assertRaises(BillingError) as caught:
                    day_start_utc(date(2026, 1, 1), zone)
                self.assertEqual(caught.exception.code, "invalid_timezone")


class TestTimestamp(unittest.TestCase):
    def test_accepted(self):
        for text, expected in (
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05"),
            ("2026-01-02t03:04:05z", "2026-01-02T03:04:05"),
            ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05"),
            ("2026-01-01T00:30:00-05:30", "2026-01-01T06:00:00"),
            ("2026-01-02T03:04:05+0200", "2026-01-02T01:04:05"),
            ("2026-01-02 03:04:05+02", "2026-01-02T01:04:05"),
            ("2026-01-02 03:04:05", "2026-01-02T03:04:05"),
            ("2026-01-02T03:04:05", "2026-01-02T03:04:05"),
            ("2026-01-02", "2026-01-02T00:00:00"),
            ("2024-02-29", "2024-02-29T00:00:00"),
            # without seconds
            ("2026-01-02T03:04Z", "2026-01-02T03:04:00"),
            ("2026-01-02T03:04+02:00", "2026-01-02T01:04:00"),
            ("2026-01-02 03:04", "2026-01-02T03:04:00"),
            ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000"),
            ("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456"),
            ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456"),
            ("0001-01-01", "0001-01-01T00:00:00"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59"),
        ):
            with self.subTest(text=text):
                self.assertEqual(
                    parse_instant(text, "period_start"),
                    datetime.fromisoformat(expected),
                )

    def test_what_is_billed_lies_in_this_century(self):
        for text, expected in (
            ("2000-01-01", "2000-01-01T00:00:00"),
            ("2099-12-31T23:59:59Z", "2099-12-31T23:59:59"),
            ("2100-01-01T01:00:00+02:00", "2099-12-31T23:00:00"),
        ):
            with self.subTest(text=text):
                self.assertEqual(
                    parse_timestamp(text, "period_start"),
                    datetime.fromisoformat(expected),
                )
        for text in ("0001-01-01", "1999-12-31T23:59:59Z", "2100-01-01", "9999-12-31"):
            with self.subTest(text=text), self.assertRaises(BillingError) as caught:
                parse_timestamp(text, "period_end")
            self.assertEqual(caught.exception.code, "invalid_period")
            self.assertEqual(caught.exception.field, "period_end")
            self.assertIn("2000 to 2099", str(caught.exception))

    def test_rejected(self):
        for value in (
            None,
            1767225600,
            True,
            datetime(2026, 1, 1),
            "",
            " 2026-01-02",
            "2026-01-02\n",
            "2026-01-02T03:04:05Z\n",
            "2024-02-30",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "0000-01-01",
            "10000-01-01",
            "+2026-01-01",
            "26-01-01",
            "20260102",
            "2026-W01-1",
            "2026-001",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:60:00Z",
            "2026-01-02T23:59:60Z",
            "2026-01-02T03Z",
            "2026-01-02T03:04.5Z",
            "2026-01-02T03:04:Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05,5Z",
            "2026-01-02T03:04:05 Z",
            "2026-01-02T03:04:05+26:00",
            "2026-01-02T03:04:05+24:00",
            "2026-01-02T03:04:05+05:60",
            "2026-01-02T03:04:05 UTC",
            "2026-01-02T03:04:05[Europe/Paris]",
            "2026-01-02Z",
            "0001-01-01T00:00:00+00:01",  # before the calendar begins
            "9999-12-31T23:59:59-00:01",  # after it ends
            "now",
            "today",
            "infinity",
            "epoch",
            "\u0662\u0660\u0662\u0666-01-02",  # Arabic-Indic digits
            "2026\u201301\u201302",  # en dashes
            "9" * 100_000,
        ):
            with self.subTest(value=str(value)[:40]):
                with self.assertRaises(BillingError) as caught:
                    parse_instant(value, "period_end")
                self.assertEqual(caught.exception.code, "invalid_period")
                self.assertEqual(str(caught.exception), "invalid period_end")
                self.assertEqual(caught.exception.field, "period_end")
