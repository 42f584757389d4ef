"""The chain from the file to the journal: each link that breaks is named."""

from decimal import Decimal
from unittest import TestCase

from demo import compare_control
from demo.compare import Comparison
from demo.expected import Figure

KEY = "nexacloud-a", "compute_hours"
RIGHT = {KEY: Figure(Decimal("12.5"), Decimal("3.20"))}


def line(**values):
    return {
        "app": "nexacloud",
        "customer": KEY[0],
        "metric": KEY[1],
        "state": "agrees",
        "declared_quantity": "12.5",
        "accepted_quantity": "12.5",
        "rated_quantity": "12.5",
        "rated_amount": "3.20",
        "posted_amount": "3.20",
        "journal_balance": "3.20",
    } | values


# Accrued on the last day; then reversed, and invoiced.
BALANCES = {
    "revenue": {"month_end": "-3.20", "now": "-3.20"},
    "accrued": {"month_end": "3.20", "now": "0.00"},
}


class ControlTest(TestCase):
    def differences(self, *lines, balances=BALANCES):
        comparison = Comparison()
        control = {"lines": lines, "balances": balances}
        self.text = compare_control.control_table(comparison, control, RIGHT)
        return comparison.differences

    def test_an_unbroken_chain(self):
        self.assertEqual(self.differences(line()), [])
        self.assertIn("12.5", self.text)

    def test_each_link_that_breaks_is_named(self):
        for name, value in line().items():
            if name in ("app", "customer", "metric"):
                continue
            broken = "differs" if name == "state" else value + "1"
            with self.subTest(name):
                [sentence] = self.differences(line(**{name: broken}))
                self.assertIn(name, sentence)

    def test_a_line_that_is_missing(self):
        [sentence] = self.differences()
        self.assertIn("absent", sentence)

    def test_another_trial_balance(self):
        for account, found in BALANCES.items():
            for when in found:
                other = {**BALANCES, account: {**found, when: "3.10"}}
                with self.subTest(account=account, when=when):
                    [sentence] = self.differences(line(), balances=other)
                    self.assertIn(f"{account}, {when}", sentence)
