import unittest
from datetime import datetime, timedelta

from ..webhook.backoff import delay_minutes, give_up, next_delay, parse_retry_after

NOON = 1767960000.0  # 2026-01-09T12:00:00Z


class TestDelay(unittest.TestCase):
    def test_doubles_up_to_1024_minutes(self):
        for attempts, minutes in ((1, 2), (2, 4), (9, 512), (10, 1024), (99, 1024)):
            with self.subTest(attempts=attempts):
                self.assertEqual(delay_minutes(attempts), minutes)
                self.assertEqual(next_delay(attempts, 0.0), timedelta(minutes=minutes))

    def test_jitter_adds_up_to_a_tenth(self):
        self.assertEqual(next_delay(1, 0.5), timedelta(seconds=126))
        self.assertLess(next_delay(10, 0.999), timedelta(minutes=1126.4))

    def test_retry_after_only_lengthens_and_is_capped(self):
        for attempts, retry_after, expected in (
            (1, None, timedelta(minutes=2)),
            (1, 0, timedelta(minutes=2)),
            (1, 60, timedelta(minutes=2)),
            (1, 600, timedelta(minutes=10)),
            (10, 600, timedelta(minutes=1024)),
            (1, 1e30, timedelta(minutes=1024)),
            (1, float("inf"), timedelta(minutes=1024)),
        ):
            with self.subTest(attempts=attempts, retry_after=retry_after):
                self.assertEqual(next_delay(attempts, 0.0, retry_after), expected)


class TestRetryAfter(unittest.TestCase):
    def test_forms(self):
        for text, expected in (
            ("120", 120.0),
            (" 120 ", 120.0),
            ("0", 0.0),
            ("9" * 30, float("9" * 30)),
            ("Fri, 09 Jan 2026 12:01:30 GMT", 90.0),
            ("Fri, 09 Jan 2026 12:01:30 -0000", 90.0),
            ("Friday, 09-Jan-26 12:01:30 GMT", 90.0),  # RFC 850
            ("Fri Jan  9 12:01:30 2026", 90.0),  # asctime
            ("Fri, 09 Jan 2026 11:00:00 GMT", 0.0),  # past
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ):
            with self.subTest(text=text):
                self.assertEqual(parse_retry_after(text, NOON), expected)

    def test_nonsense_is_none(self):
        for text in (
            None,
            "",
            "-1",
            "+5",
            "1.5",
            "1e99",
            "inf",
            "soon",
            "\u0661\u0662",
            "Fri, 31 Feb 2026 12:00:00 GMT",
            "Fri, 09 Jan 99999999999 12:00:00 GMT",
            "Fri, 09 Jan 2026 12:00:00 +999999999999",
            "x" * 100_000,
        ):
            with self.subTest(text=(text or "")[:40]):
                self.assertIsNone(parse_retry_after(text, NOON))


class TestGiveUp(unittest.TestCase):
    def test_after_three_and_a_half_days(self):
        first = datetime(2026, 1, 1)
        for now, expected in (
            (datetime(2026, 1, 1), False),
            (datetime(2026, 1, 4, 11, 59, 59), False),
            (datetime(2026, 1, 4, 12), True),
        ):
            with self.subTest(now=now):
                self.assertEqual(give_up(5, first, now), expected)

    def test_also_where_time_says_nothing(self):
        self.assertFalse(give_up(19, None, datetime(2026, 1, 1)))
        self.assertTrue(give_up(20, None, datetime(2026, 1, 1)))
        self.assertTrue(give_up(20, datetime(2030, 1, 1), datetime(2026, 1, 1)))
