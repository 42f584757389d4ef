import unittest
from decimal import Decimal as D

from ..billing.ledger import Adjustment, CreditPart, charged_for, judge_credits

CENT = D("0.01")


def charged(amount, *adjustments):
    return charged_for(
        D(amount), [Adjustment(D(r), D(f)) for r, f in adjustments], CENT
    )


class TestCharged(unittest.TestCase):
    """What a customer is to have been charged in all, by values computed by hand."""

    def test_nothing_was_adjusted(self):
        self.assertEqual(charged("12.34"), D("12.34"))

    def test_forgiven_in_part(self):
        """40.00 of 100.00 were credited: 60.00 is what the customer was charged."""
        for now, expected in (
            ("100", "60"),
            ("110", "70"),  # ten more are billed in full
            ("70", "60"),  # a void uses up what was forgiven first
            ("60", "60"),
            ("50", "50"),  # and then comes off what was paid
            ("0", "0"),
        ):
            with self.subTest(now=now):
                self.assertEqual(charged(now, ("100", "40")), D(expected))

    def test_forgiven_in_full(self):
        for now, expected in (("100", "0"), ("0", "0"), ("101", "1")):
            with self.subTest(now=now):
                self.assertEqual(charged(now, ("100", "100")), D(expected))

    def test_added(self):
        """120.00 for 100.00: half of the usage is half of the higher price."""
        for now, expected in (
            ("100", "120"),
            ("105", "125"),
            ("50", "60"),
            ("33.33", "40.00"),  # 33.33 x 1.2 = 39.996
            ("0", "0"),
        ):
            with self.subTest(now=now):
                self.assertEqual(charged(now, ("100", "-20")), D(expected))

    def test_what_a_void_gave_back_is_charged_after_all(self):
        """Nothing is left of 50.00, and its credit note was reversed."""
        self.assertEqual(charged("0", ("0", "-50")), D(50))
        self.assertEqual(charged("1", ("0", "-50")), D(51))

    def test_each_applies_to_the_outcome_of_those_before(self):
        """100.00 on the invoice for 90.00, then 40.00 of these credited: 50.00."""
        both = ("100", "10"), ("100", "40")
        for now, expected in (("100", "50"), ("90", "50"), ("50", "50"), ("20", "20")):
            with self.subTest(now=now):
                self.assertEqual(charged(now, *both), D(expected))

    def test_a_later_revision_is_forgiven_in_part(self):
        """100.00 less 40.00; then 110.00, and 4.00 of its 10.00 are forgiven."""
        both = ("100", "40"), ("110", "4")
        for now, expected in (("110", "66"), ("70", "60"), ("66", "60"), ("50", "50")):
            with self.subTest(now=now):
                self.assertEqual(charged(now, *both), D(expected))


class TestCredits(unittest.TestCase):
    """What credit notes of a usage line mean."""

    def judge(self, line, *parts):
        verdict = judge_credits(D(line), [CreditPart(D(a), b) for a, b in parts])
        return verdict.released_by, [*map(float, verdict.forgiven)]

    def test_all_of_it_to_be_billed_again(self):
        self.assertEqual(self.judge("50", ("50", True)), (0, [0.0]))

    def test_parts_that_add_up(self):
        self.assertEqual(self.judge("50", ("20", True), ("30", True)), (1, [0, 0]))

    def test_one_of_the_parts_forgives(self):
        parts = ("20", True), ("30", False)
        self.assertEqual(self.judge("50", *parts), (None, [20, 30]))

    def test_a_part(self):
        self.assertEqual(self.judge("50", ("20", True)), (None, [20.0]))

    def test_what_goes_beyond_the_line_is_by_hand(self):
        twice = ("20", False), ("50", False)
        self.assertEqual(self.judge("50", *twice), (None, [20, 30]))
        self.assertEqual(self.judge("50", ("50", True), ("50", False)), (0, [0, 0]))

    def test_of_a_line_that_gives_back(self):
        """What takes a void's 50.00 back is charged: nothing is to be billed again."""
        self.assertEqual(self.judge("-50", ("-50", False)), (None, [-50.0]))

    def test_nothing_was_credited(self):
        self.assertEqual(self.judge("50"), (None, []))
        self.assertEqual(self.judge("0", ("0", True)), (None, [0.0]))
