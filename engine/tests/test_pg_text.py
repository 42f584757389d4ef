import gc
import unittest
from datetime import datetime
from decimal import Decimal

from ..api.collector import paused_collection
from ..postgres.text import array_literal, copy_file, copy_texts, text_array_literal


class TestPgText(unittest.TestCase):
    def test_array_of_values(self):
        values = [7, Decimal("0.1"), datetime(2026, 1, 10, 9), None, True]
        self.assertEqual(
            array_literal(values), '{"7","0.1","2026-01-10 09:00:00",NULL,"True"}'
        )
        self.assertEqual(array_literal([]), "{}")

    def test_array_of_texts(self):
        self.assertEqual(
            text_array_literal(["a", "", None, "NULL", 'x"y', "\\", "{a,b}", "é"]),
            r'{"a","",NULL,"NULL","x\"y","\\","{a,b}","é"}',
        )

    def test_rows_for_copy(self):
        rows = copy_file(
            [[1, 2, 3], copy_texts(["a\tb", None, "\\N"]), copy_texts(["\n", "", "\r"])]
        )
        self.assertEqual(rows.read(), "1\ta\\tb\t\\n\n2\t\\N\t\n3\t\\\\N\t\\r\n")

    def test_columns_of_one_length(self):
        with self.assertRaises(ValueError):
            copy_file([[1, 2], [1]])


class TestPausedCollection(unittest.TestCase):
    def test_pauses_and_goes_on(self):
        self.assertTrue(gc.isenabled())
        with self.assertRaises(KeyError), paused_collection():
            self.assertFalse(gc.isenabled())
            with paused_collection():
                pass
            self.assertFalse(gc.isenabled())
            raise KeyError
        self.assertTrue(gc.isenabled())
