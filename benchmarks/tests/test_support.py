import unittest

from benchmarks.support import usage
from benchmarks.support.comparison import pinned_versions
from benchmarks.support.figures import Ratio, Samples, describe
from benchmarks.support.rates import Comparison


class TestUsage(unittest.TestCase):
    def test_formula_field_computes_the_same(self):
        """The other side's formula, run as code, yields what our events add up to."""

        class Line:
            class contract_id:
                code = "12"

            sequence = 2

        class InvoiceDate:
            year, month = 2026, 3

        names = {"line": Line, "invoice_date": InvoiceDate}
        exec(usage.formula(seed=5), names)
        # 5 + 12*31 + 2*17 + (2026*12 + 3)*7 = 170616 = 1758*97 + 90
        self.assertEqual(names["result"], 91)
        month = usage.month_number(2026, 3)
        self.assertEqual(usage.billable(5, 12, 2, month), 91)

    def test_split_adds_up(self):
        self.assertEqual(usage.split(103, 4), [26, 26, 26, 25])
        self.assertEqual(usage.split(2, 3), [1, 1, 0])


class TestFigures(unittest.TestCase):
    def samples(self, *seconds):
        samples = Samples()
        for value in seconds:
            samples.add(10, {"seconds": value, "cpu_seconds": value / 2, "queries": 40})
        return samples

    def test_samples_are_for_one_subscription(self):
        medians = self.samples(0.2, 0.9, 0.4).medians()
        self.assertEqual(medians["milliseconds"], 40)
        self.assertEqual(medians["cpu_milliseconds"], 20)
        self.assertEqual(medians["queries"], 4)

    def test_ratio_is_the_median_of_pairs(self):
        # pairs 2.0, 0.5 and 0.25; the medians alone would give 2 / 4
        ratio = Ratio("it", self.samples(4, 2, 1), self.samples(2, 4, 4), goal=0.5)
        self.assertEqual(ratio.value, 0.5)
        self.assertEqual(ratio.spread, (0.25, 2.0))
        self.assertTrue(ratio.met)

    def test_goal_missed_or_none(self):
        ours, other = self.samples(3), self.samples(2)
        self.assertIn("NOT met", describe(Ratio("it", ours, other, goal=0.9)))
        self.assertNotIn("goal", describe(Ratio("it", ours, other)))


class TestComparison(unittest.TestCase):
    def test_rates_are_compared_round_by_round(self):
        # pairs 2.0, 0.5 and 0.25; the medians alone would give 2 / 4
        found = Comparison("it", "that", [4, 2, 1], [2, 4, 4], at_least=0.5)
        self.assertEqual(found.value, 0.5)
        self.assertTrue(found.met)
        self.assertIn("at least 0.5: met", found.text("a second"))

    def test_times_are_compared_by_their_medians(self):
        found = Comparison("it", "that", [4, 2, 1], [2, 4, 4], at_most=0.4)
        self.assertEqual(found.value, 0.5)
        self.assertFalse(found.met)
        self.assertIn("at most 0.4: NOT met", found.text("ms"))


class TestPins(unittest.TestCase):
    def test_versions_of_odoo_19(self):
        pins = pinned_versions()
        self.assertEqual(
            set(pins), {"contract", "contract_variable_quantity", "subscription_oca"}
        )
        self.assertTrue(all(v.startswith("19.0.") for v in pins.values()))


if __name__ == "__main__":
    unittest.main()
