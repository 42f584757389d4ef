import unittest
from decimal import Decimal, localcontext

from ..billing.money import EXACT, format_decimal, round_amount, to_decimal


class TestRounding(unittest.TestCase):
    def test_half_away_from_zero_to_a_multiple_of_the_step(self):
        for amount, step, expected in (
            ("1.005", "0.01", "1.01"),
            ("1.0049999999", "0.01", "1.00"),
            ("-1.005", "0.01", "-1.01"),
            ("0.5", "1", "1"),
            ("1.5", "1", "2"),
            ("2.5", "1", "3"),  # not to even
            ("2.4999", "1", "2"),
            ("0.0005", "0.001", "0.001"),
            ("7.325", "0.05", "7.35"),
            ("7.324", "0.05", "7.30"),
            ("-0.001", "0.01", "0"),
            ("0", "0.01", "0"),
            # 33 digits: the default context would cut this before rounding
            ("123456789012345678901234567890.005", "0.01",
             "123456789012345678901234567890.01"),
        ):  # fmt: skip
            with self.subTest(amount=amount, step=step):
                rounded = round_amount(Decimal(amount), Decimal(step))
                self.assertEqual(rounded, Decimal(expected))
                self.assertFalse(rounded.is_zero() and rounded.is_signed())

    def test_thirds_of_half_a_cent_make_half_a_cent(self):
        """85.00 for 3000 units: one is 0.028333..., and 0.085 at a rate of 3."""
        third = EXACT.divide(Decimal("0.085"), Decimal(3))
        for amount in (
            EXACT.multiply(third, Decimal(3)),
            EXACT.add(EXACT.add(third, third), third),
        ):
            self.assertLess(amount, Decimal("0.085"))
            self.assertEqual(round_amount(amount, Decimal("0.01")), Decimal("0.09"))

    def test_does_not_depend_on_the_context_of_the_caller(self):
        with localcontext() as context:
            context.prec = 3
            self.assertEqual(
                round_amount(Decimal("12345.675"), Decimal("0.01")), Decimal("12345.68")
            )

    def test_a_step_that_is_not_positive_is_refused(self):
        for step in ("0", "-0.01"):
            with self.subTest(step=step), self.assertRaises(ValueError):
                round_amount(Decimal(1), Decimal(step))


class TestDecimals(unittest.TestCase):
    def test_a_float_is_the_decimal_it_prints(self):
        for value, expected in (
            (0.1, "0.1"),
            (1e-07, "0.0000001"),
            (3, "3"),
            ("0.0005", "0.0005"),
            (Decimal("1.50"), "1.50"),
        ):
            with self.subTest(value=value):
                self.assertEqual(to_decimal(value), Decimal(expected))

    def test_what_is_no_finite_number_is_refused(self):
        for value in ("", "x", "nan", float("inf"), float("nan"), True):
            with self.subTest(value=value), self.assertRaises(ValueError):
                to_decimal(value)

    def test_plain_notation(self):
        for value, expected in (
            ("0.0005", "0.0005"),
            ("12", "12"),
            ("12.00", "12"),
            ("1E+6", "1000000"),
            ("1E-10", "0.0000000001"),
            ("100", "100"),
            ("-0.50", "-0.5"),
            ("-0.00", "0"),
        ):
            with self.subTest(value=value):
                self.assertEqual(format_decimal(Decimal(value)), expected)
