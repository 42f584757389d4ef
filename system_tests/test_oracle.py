"""The oracle rates a database after two closes again; and finds what was falsified."""

from __future__ import annotations

import re
from functools import partial

from .story_case import StoryCase

JANUARY = "2026-01-09T10:00:00"
FEBRUARY = "2026-02-09T10:00:00"
MONTH = [["wait", 31 * 24], ["invoice"]]
CHEAPER = {"included_quota": 50, "price_per_unit": 0.125}
STORY = [
    [
        "usage",
        ("a", "calls", "1", "150", JANUARY, None),  # 50 x 0.50 = 25.00
        ("a", "users", "1", "1", JANUARY, "anna"),
        ("a", "users", "2", "1", JANUARY, "bert"),  # 1 x 3 = 3.00
        ("b", "jobs", "1", "1", JANUARY, None),  # a package begun: 1.25
        ("b", "jobs", "2", "1", JANUARY, None),
        ("b", "free", "1", "7", JANUARY, None),  # without a price
        ("a", "calls", "2", "7", "2025-12-31T22:59:59", None),  # before it began
    ],
    *MONTH,
    ["price", "calls", CHEAPER],
    [
        "usage",
        ("a", "calls", "3", "10", "2026-01-20T00:00:00", None),  # late: 5.00
        ("a", "calls", "4", "100", FEBRUARY, None),  # 50 x 0.125 = 6.25
        ("b", "level", "1", "60", FEBRUARY, None),  # 60 x 0.5 / 7 + 3 = 7.29
    ],
    ["void", "b", "jobs", "2"],
    *MONTH,
    ["credit", 2, False],  # January of a, billed again on the next one
    ["credit", 3, True],  # January of b, by a corrected invoice
    *MONTH,
    ["close", "b"],
    ["usage", ("b", "jobs", "3", "1", FEBRUARY, None)],  # late, after its end
    ["wait", 24],
    ["rate"],
]
CALLS = "SELECT min(id) FROM fusion_billing_usage WHERE quantity = 150"
BILLED = """
    SELECT max(id) FROM fusion_billing_rating
     WHERE state = 'invoiced' AND amount = 6.25
"""
LINE = f"SELECT invoice_line_id FROM fusion_billing_rating WHERE id = ({BILLED})"
WINDOW = f"SELECT window_id FROM fusion_billing_rating WHERE id = ({BILLED})"
AGREEMENT = f"SELECT agreement_id FROM fusion_billing_rating WHERE id = ({BILLED})"
# what is falsified -> (how, how it is undone, what the oracle says)
FALSIFIED = {
    "an event": (
        f"UPDATE fusion_billing_usage SET quantity = 151 WHERE id = ({CALLS})",
        "UPDATE fusion_billing_usage SET quantity = 150 WHERE quantity = 151",
        # credited, and billed again at the cheaper price: 110 x 0.125
        ("quantity 160, counted 161", "comes to 13.75, must be 13.88"),
    ),
    "a mark": (
        f"UPDATE fusion_billing_usage SET unallocated = true WHERE id = ({CALLS})",
        f"UPDATE fusion_billing_usage SET unallocated = false WHERE id = ({CALLS})",
        ("must not be marked as unallocated",),
    ),
    "usage without a price": (
        "UPDATE fusion_billing_usage SET unallocated = false WHERE quantity = 7",
        "UPDATE fusion_billing_usage SET unallocated = true WHERE quantity = 7",
        ("must be marked as unallocated", "must be marked as unallocated"),
    ),
    "an amount": (
        f"UPDATE fusion_billing_rating SET amount = 16.25 WHERE id = ({BILLED})",
        "UPDATE fusion_billing_rating SET amount = 6.25 WHERE amount = 16.25",
        ("over 16.25 is on INV", "comes to 16.25, must be 6.25"),
    ),
    "a state": (
        f"UPDATE fusion_billing_rating SET state = 'released' WHERE id = ({BILLED})",
        "UPDATE fusion_billing_rating SET state = 'invoiced' WHERE amount = 6.25",
        (
            "does not count, and its invoice",
            "is settled, and was not rated",
            "comes to 0, must be 6.25",
        ),
    ),
    "an invoice line": (
        f"UPDATE account_move_line SET price_subtotal = 9 WHERE id = ({LINE})",
        f"UPDATE account_move_line SET price_subtotal = 6.25 WHERE id = ({LINE})",
        ("comes to 6.25, has 9 as its sum", "is booked over -6.25"),
    ),
    "a balance": (
        f"UPDATE account_move_line SET balance = -1 WHERE id = ({LINE})",
        f"UPDATE account_move_line SET balance = -6.25 WHERE id = ({LINE})",
        ("has the balance -1",),
    ),
    "a window": (
        f'UPDATE fusion_billing_window SET "end" = "end" - interval \'1 day\''
        f" WHERE id = ({WINDOW})",
        f'UPDATE fusion_billing_window SET "end" = "end" + interval \'1 day\''
        f" WHERE id = ({WINDOW})",
        ("not at the beginning of", "leave a gap"),
    ),
    "a settled price": (
        f"UPDATE fusion_billing_window_charge SET terms = jsonb_set(terms, '{{quota}}',"
        f" '\"40\"') WHERE id = ({AGREEMENT})",
        f"UPDATE fusion_billing_window_charge SET terms = jsonb_set(terms, '{{quota}}',"
        f" '\"50\"') WHERE id = ({AGREEMENT})",
        ("was settled at another price", "comes to 6.25, must be 7.5"),
    ),
    "a link": (
        f"UPDATE fusion_billing_rating SET invoice_line_id = NULL, peak_share = -("
        f"{LINE}) WHERE id = ({BILLED})",
        "UPDATE fusion_billing_rating SET invoice_line_id = -peak_share,"
        " peak_share = 0 WHERE peak_share < 0",
        ("is on no invoice", "has no rating"),
    ),
}


class TestOracle(StoryCase):
    seconds = 25

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.is_played = False

    def setUp(self):
        super().setUp()
        if not self.is_played:
            self.play(*STORY)
            type(self).is_played = True

    def test_no_difference(self):
        [totals] = self.oracle(self.database)
        self.assertRegex(
            totals,
            r"^2 subscriptions, 0 waiting, 10 events, \d\d windows, \d\d ratings:"
            r" 0 differences$",
        )

    def test_each_falsification_is_found(self):
        for what, (falsify, undo, said) in FALSIFIED.items():
            with self.subTest(what):
                self.value(self.database, falsify)
                self.addCleanup(partial(self.value, self.database, undo))
                *found, _totals = self.oracle(self.database, 1)
                self.doCleanups()
                self.assertEqual(len(found), len(said), found)
                for text, line in zip(said, found, strict=True):
                    self.assertRegex(line, re.escape(text))
