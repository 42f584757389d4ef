import unittest
from datetime import date, datetime

from ..api.usage_table import (
    BadCell,
    read_csv,
    read_header,
    row_event,
    safe_cell,
    unquoted,
    write_csv,
)
from ..errors import BillingError

HEADER = [
    *("subscription_external_id", "metric_code", "quantity"),
    *("period_start", "period_end", "idempotency_key"),
]


def event(*cells, tz="Europe/Berlin", comma=False):
    return row_event(cells, read_header(HEADER), tz, comma)


class TestReading(unittest.TestCase):
    def test_delimiters_and_encodings(self):
        for sign in ",;\t|":
            text = f'a{sign}b\nÄ{sign}"x{sign}y"\n'
            rows = [["a", "b"], ["Ä", f"x{sign}y"]]
            self.assertEqual(read_csv(text.encode(), "utf-8"), rows)
            self.assertEqual(read_csv(text.encode("utf-8-sig"), "utf-8"), rows)
            self.assertEqual(read_csv(text.encode("utf-16"), "utf-8"), rows)
            self.assertEqual(read_csv(text.encode("cp1252"), "windows-1252"), rows)

    def test_what_cannot_be_read_is_said(self):
        for raw, encoding, said in (
            ("Ä".encode("latin-1"), "utf-8", "not in utf-8"),
            (b"\x81", "windows-1252", "not in windows-1252"),
            (b'a,b\n"never closed', "utf-8", "Line 2"),
            (b'a,b\n"x"y,z', "utf-8", "Line 2"),
            (b"a,b\n" + b"x" * 200_000, "utf-8", "Line 2"),
            (b"\xff\xfea", "utf-8", "not in utf-16"),
        ):
            with self.subTest(said), self.assertRaisesRegex(BillingError, said):
                read_csv(raw, encoding)

    def test_header(self):
        self.assertEqual(
            read_header(
                [
                    "Metric Code",
                    "QUANTITY",
                    "period-start",
                    "Period_End",
                    "subscription_id",
                    "reason",
                    "",
                ]
            ),
            [
                "metric_code",
                "quantity",
                "period_start",
                "period_end",
                "subscription_id",
                None,
            ],
        )
        for names, said in (
            (HEADER[1:], "subscription_external_id or subscription_id"),
            ([*HEADER, "price"], "“price”"),
            ([*HEADER, "quantity"], "twice"),
            ([], "missing"),
            ([None, 7], "missing"),
        ):
            with self.subTest(said), self.assertRaisesRegex(BillingError, said):
                read_header(names)


class TestRow(unittest.TestCase):
    def _start(self, cell, tz="Europe/Berlin"):
        return event("s", "m", "1", cell, "2026-01-10", tz=tz)["period_start"]

    def test_times_without_a_zone_are_of_the_chosen_one(self):
        for cell, said in (
            ("2026-01-10", "2026-01-09T23:00:00Z"),
            ("2026-07-10", "2026-07-09T22:00:00Z"),
            ("2026-01-10 08:30:00", "2026-01-10T07:30:00Z"),
            ("2026-01-10T08:30:00", "2026-01-10T07:30:00Z"),
            # of the file's zone also without seconds, and not UTC
            ("2026-01-10 08:30", "2026-01-10T07:30:00Z"),
            ("2026-01-10 08:30:00.1234567", "2026-01-10T07:30:00.123456Z"),
            (datetime(2026, 1, 10, 8, 30), "2026-01-10T07:30:00Z"),
            (date(2026, 1, 10), "2026-01-09T23:00:00Z"),
        ):
            with self.subTest(cell):
                self.assertEqual(self._start(cell), said)

    def test_a_zone_of_its_own_stays(self):
        for cell in ("2026-01-10T08:00:00Z", "2026-01-10 08:00:00+05:30"):
            self.assertEqual(self._start(cell), cell)

    def test_what_is_no_time_is_left_to_the_validation(self):
        for cell in (
            "10.01.2026",
            "2026-02-30",
            "2026-13-01 00:00:00",
            "now",
            "2026-01-10 25:00:00",
            "٢٠٢٦-01-10",
        ):
            self.assertEqual(self._start(cell), cell)

    def test_when_clocks_change_the_zone_has_to_be_said(self):
        for cell in ("2026-10-25 02:30:00", "2026-03-29 02:30:00"):
            with self.assertRaisesRegex(BillingError, "clocks change"):
                self._start(cell)
        self.assertEqual(self._start("2026-10-25 03:00:00"), "2026-10-25T02:00:00Z")

    def test_quantities_stay_texts(self):
        def quantity(text, comma=False):
            return event("s", "m", text, "x", "y", comma=comma)["quantity"]

        self.assertEqual(quantity("0.1000000001"), "0.1000000001")
        self.assertEqual(quantity("9007199254740993,5", True), "9007199254740993.5")
        self.assertEqual(quantity("1,5"), "1,5")  # refused by the validation
        for text in ("1.234,5", "1.5", "1,", ",5", "1 000", "1,2,3"):
            with self.assertRaisesRegex(BillingError, "invalid quantity"):
                quantity(text, True)

    def test_empty_cells_are_not_there(self):
        self.assertEqual(event("", None, "1"), {"quantity": "1"})
        self.assertEqual(event("s"), {"subscription_external_id": "s"})

    def test_bad_cells(self):
        with self.assertRaisesRegex(BillingError, "is an error"):
            event("s", "m", BadCell("the cell is an error (#N/A)"))
        with self.assertRaisesRegex(BillingError, "too long"):
            event("s", "x" * 10_001)
        with self.assertRaisesRegex(BillingError, "is a date"):
            event("s", "m", datetime(2026, 1, 1))


class TestHandedOut(unittest.TestCase):
    def test_no_cell_runs_as_a_formula(self):
        for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"):
            self.assertEqual(safe_cell(text), f"'{text}")
            self.assertEqual(unquoted(safe_cell(text)), text)
        for text in ("", "1", "a=b", "'x", "sub-1"):
            self.assertEqual((safe_cell(text), unquoted(text)), (text, text))
        self.assertEqual(safe_cell(None), "")

    def test_a_file_of_ours_is_read_as_it_was(self):
        rows = [["a", "=b"], ['ä;,"\n', "-1"], ["", "\ud800"]]
        read = read_csv(write_csv(rows), "utf-8")
        self.assertEqual(read[0], ["a", "'=b"])
        self.assertEqual(read[1], ['ä;,"\n', "'-1"])
        self.assertEqual(read[2], ["", "\\ud800"])
