import time
import unittest
from decimal import Decimal

from ..billing.quantity import parse_quantity
from ..errors import BillingError


class TestQuantity(unittest.TestCase):
    def test_accepted_exactly(self):
        for value, expected in (
            (5, "5"),
            ("5", "5"),
            ("1.25", "1.25"),
            ("007.50", "7.5"),
            (0.1, "0.1"),
            (Decimal("0.1"), "0.1"),
            (9007199254740993, "9007199254740993"),  # 2 ** 53 + 1
            (9999999999999999, "9999999999999999"),
            ("9999999999999999.9999999999", "9999999999999999.9999999999"),
            (Decimal("1e5"), "100000"),
            (Decimal("1.50000000000000000000"), "1.5"),
            (Decimal("1e-10"), "0.0000000001"),
            (0, "0"),
            ("-0.0", "0"),
            (-0.0, "0"),
            (Decimal("-0.0"), "0"),
            (Decimal("0e-999999"), "0"),
            (Decimal("0e999999"), "0"),
        ):
            with self.subTest(value=value):
                self.assertEqual(format(parse_quantity(value), "f"), expected)

    def test_rejected(self):
        for value in (
            None,
            True,
            False,
            "",
            " ",
            "1_000",
            " 12 ",
            "12\n",
            "+1",
            "1.",
            ".5",
            "1,5",
            "0x10",
            "1e5",
            "\u0661\u0662",  # Arabic-Indic digits
            "\uff11\uff12",  # full-width digits
            "\u00b2",
            "nan",
            "inf",
            "Infinity",
            "-1",
            -1,
            -0.5,
            Decimal("-0.0000000001"),
            Decimal("nan"),
            Decimal("snan"),
            Decimal("inf"),
            float("nan"),
            float("inf"),
            10**16,
            10**400,
            "10000000000000000",
            1e16,
            1e308,
            Decimal("1e16"),
            Decimal("1e400"),
            Decimal("1e-400"),
            Decimal("1e-11"),
            "0.00000000001",
            "1.12345678901",
            # rounded to 28 digits, this one looked like a whole number
            Decimal("9999999999999998.00000000000000000001"),
            "9" * 10_000,
            "0." + "0" * 10_000,
            {},
            [1],
            b"1",
        ):
            with self.subTest(value=str(value)[:40]):
                with self.assertRaises(BillingError) as caught:
                    parse_quantity(value)
                self.assertEqual(caught.exception.code, "invalid_quantity")
                self.assertEqual(str(caught.exception), "invalid quantity")
                self.assertEqual(caught.exception.field, "quantity")

    def test_a_huge_exponent_is_not_written_out(self):
        started = time.perf_counter()
        for text in ("1e999999999", "1e999999999999999999", "1e-999999999"):
            with self.subTest(text=text), self.assertRaises(BillingError):
                parse_quantity(Decimal(text))
        self.assertLess(time.perf_counter() - started, 0.1)
