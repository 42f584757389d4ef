import unittest

from ..billing.behind import Counted, behind, shares


def revision(number, state, until=None, counted=()):
    return Counted(
        100 + number, number, state == "open", state == "released", until, counted
    )


class TestBehind(unittest.TestCase):
    """Event 7 came before the first invoice (which saw up to 10), event 12 after it."""

    def check(self, revisions, expected, event=7, voided_after=None):
        found = behind(event, revisions, voided_after)
        self.assertEqual([r.number for r in found], expected)

    def test_late_usage_is_in_the_correction(self):
        revisions = [revision(1, "open", None, (0,)), revision(0, "invoiced", 10)]
        self.check(revisions, [0])
        self.check(revisions, [1], event=12)

    def test_late_usage_that_changes_nothing_is_in_none(self):
        self.check([revision(0, "invoiced", 10)], [], event=12)

    def test_credited_and_billed_again(self):
        again = [revision(0, "released", 10), revision(1, "invoiced", 14)]
        self.check(again, [0, 1])
        self.check(again, [1], event=12)

    def test_a_correction_does_not_bill_again_what_was_credited_later(self):
        """The first invoice was credited when the correction was on another one."""
        revisions = [
            revision(0, "released", 10),
            revision(1, "invoiced", 14, (0,)),
            revision(2, "open", None, (1,)),
        ]
        self.check(revisions, [0, 2])
        self.check(revisions, [1], event=12)

    def test_a_voided_event_was_billed_and_given_back(self):
        revisions = [
            revision(0, "invoiced", 10),
            revision(1, "invoiced", 14, (0,)),
            revision(2, "open", None, (0, 1)),
        ]
        self.check(revisions, [0, 2], voided_after=1)
        self.check(revisions, [1, 2], event=12, voided_after=1)
        self.check(revisions[:2], [0], voided_after=1)

    def test_voided_after_it_was_credited_it_is_billed_by_none(self):
        revisions = [revision(0, "released", 10), revision(1, "invoiced", 14)]
        self.check(revisions, [0], voided_after=0)

    def test_events_fall_apart_by_what_has_counted_them(self):
        revisions = [
            revision(0, "released", 10),
            revision(1, "invoiced", 14),
            revision(2, "open"),
        ]
        self.assertEqual(shares(revisions), [(0, 10), (10, 14), (14, None)])
        self.assertEqual(shares(revisions[2:]), [(0, None)])
