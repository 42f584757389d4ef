"""Prices, and what is left of what finance decided, by hand-computed figures."""

import unittest
from fractions import Fraction

from second_opinion.arithmetic import charged, rounded, total
from system_tests.life.money import Terms, price


class TestMoney(unittest.TestCase):
    def test_price(self):
        calls = Terms("0.50", quota="100")
        packages = Terms("2", quota="1000", batch="500", model="package")
        for terms, quantity, amount in (
            (calls, "250", "75"),
            (calls, "100", "0"),
            (calls.but(minimum="30"), "0", "30"),
            (calls.but(minimum="30"), "161", "30.50"),
            (calls.but(discount="10"), "250", "67.50"),
            (calls.but(rate=Fraction("0.8")), "250", "60"),
            (Terms("0.125"), "1", "0.13"),
            (packages, "1000", "0"),
            (packages, "1001", "2"),
            (packages, "1500.5", "4"),
        ):
            with self.subTest(terms=terms, quantity=quantity):
                self.assertEqual(price(terms, Fraction(quantity)), Fraction(amount))

    def test_aggregate(self):
        for kind, amount in (("sum", "4.5"), ("count", "3"), ("max", "3")):
            events = [(Fraction(text), None) for text in ("1", "3", "0.5")]
            self.assertEqual(total(kind, events), Fraction(amount), kind)
        self.assertEqual(total("max", []), 0)

    def test_half_a_cent_is_rounded_away_from_zero(self):
        self.assertEqual(rounded(Fraction("-0.125")), Fraction("-0.13"))
        self.assertEqual(rounded(Fraction("0.1249")), Fraction("0.12"))

    def test_one_decision(self):
        for amount, forgiven, at, left in (
            ("100", "40", "100", "60"),
            ("110", "40", "100", "70"),  # usage above it in full
            ("50", "40", "100", "50"),  # a void first uses up what was forgiven
            ("0", "40", "100", "0"),
            ("0", "100", "100", "0"),
            ("110", "-20", "100", "130"),
            ("50", "-20", "100", "60"),  # a fifth more, of what is left
            ("0", "-20", "100", "0"),
        ):
            with self.subTest(amount=amount, forgiven=forgiven):
                found = charged(Fraction(amount), [(Fraction(at), Fraction(forgiven))])
                self.assertEqual(found, Fraction(left))

    def test_several_decisions_one_after_the_other(self):
        # 100 was invoiced, 40 of it forgiven, then 10 more.
        both = [(Fraction(100), Fraction(40)), (Fraction(100), Fraction(10))]
        for amount, left in (("100", "50"), ("120", "70"), ("55", "50"), ("30", "30")):
            self.assertEqual(charged(Fraction(amount), both), Fraction(left), amount)
        # 100 became 120 on the draft; 60 of that were forgiven.
        both = [(Fraction(100), Fraction(-20)), (Fraction(100), Fraction(60))]
        for amount, left in (("100", "60"), ("110", "70"), ("50", "60"), ("40", "48")):
            self.assertEqual(charged(Fraction(amount), both), Fraction(left), amount)
