import base64
import unittest
from datetime import date, datetime

from ..api import query
from ..api.cursor import decode_cursor, encode_cursor
from ..errors import BillingError

READERS = {
    "metric": query.text,
    "state": query.choice("open", "closed"),
    "since": query.instant,
    "day": query.day,
    "past": query.whole(1, 24),
    **query.page("usage"),
}


class TestQuery(unittest.TestCase):
    def _assert_refused(self, code, field, *given):
        with self.assertRaises(BillingError) as caught:
            query.read_query(given, READERS)
        self.assertEqual((caught.exception.code, caught.exception.field), (code, field))

    def test_values(self):
        found = query.read_query(
            [
                ("metric", "api calls"),
                ("state", "open"),
                ("since", "2026-01-10T09:00:00+02:00"),
                ("day", "2026-01-10"),
                ("past", "24"),
                ("limit", "1000"),
                ("cursor", encode_cursor("usage", 7)),
            ],
            READERS,
        )
        self.assertEqual(
            found,
            {
                "metric": "api calls",
                "state": "open",
                "since": datetime(2026, 1, 10, 7),
                "day": date(2026, 1, 10),
                "past": 24,
                "limit": 1000,
                "cursor": 7,
            },
        )
        self.assertEqual(query.read_query([], READERS), {})

    def test_unknown_ones_are_refused_and_the_known_ones_named(self):
        with self.assertRaises(BillingError) as caught:
            query.read_query([("metrik", "x")], READERS)
        self.assertEqual(caught.exception.code, "unknown_parameter")
        self.assertEqual(caught.exception.field, "metrik")
        self.assertIn("metric, state", caught.exception.message)
        # a name that says nothing to anybody is not repeated
        self._assert_refused("unknown_parameter", None, ("<script>", "x"))

    def test_given_twice(self):
        self._assert_refused(
            "invalid_parameter", "metric", ("metric", "a"), ("metric", "a")
        )

    def test_bad_values(self):
        for name, values in {
            "metric": ("", " ", "\x00", "a\nb", "x" * 256),
            "state": ("", "Open", "open,closed"),
            "since": ("", "now", "2026-02-30", "2026-01-10T09:00:00 02:00"),
            "day": ("", "20260110", "2026-W02-6", "2026-02-30", "2026-01-10T00:00:00Z"),
            "past": ("", "0", "25", "-1", "1.0", "1e1", "٣", "9" * 5000),
            "limit": ("0", "1001", "+5", " 5"),
        }.items():
            for value in values:
                with self.subTest(name=name, value=value[:30]):
                    self._assert_refused("invalid_parameter", name, (name, value))

    def test_bad_cursors(self):
        def encoded(text):
            return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

        for value in (
            "",
            "7",
            "!!!!",
            "é",
            encoded("event:7"),
            encoded("usage:07"),
            encoded("usage:-7"),
            encoded("usage:x"),
            encoded(f"usage:{2**63}"),
            encoded("usage:7") + "!",
            encode_cursor("usage", 7) + "=",
            "A" * 100_000,
        ):
            with self.subTest(value=value[:30]):
                self._assert_refused("invalid_cursor", "cursor", ("cursor", value))


class TestCursor(unittest.TestCase):
    def test_round_trip(self):
        for position in (0, 1, 2**31, 2**63 - 1):
            text = encode_cursor("usage", position)
            self.assertRegex(text, "^[A-Za-z0-9_-]+$")
            self.assertEqual(decode_cursor("usage", text), position)
