"""Judging of test logs: what makes a run green, and everything that makes it red."""

import unittest

from ..odoo_log import Verdict, entries, judge, judge_unittest

STAMP = "2030-01-01 10:00:00,123 4242"
RESULT = "odoo.tests.result: 0 failed, 0 error(s) of 3 tests when loading database 'x'"


def log(*lines):
    """Log lines with the stamp in front of those that start a message."""
    return [f"{STAMP} {line}" if line.split()[0].isupper() else line for line in lines]


class TestJudge(unittest.TestCase):
    def test_a_clean_run_is_green(self):
        verdict = judge(log("INFO x odoo.modules: loaded", f"INFO x {RESULT}"))
        self.assertTrue(verdict.green)
        self.assertEqual(verdict.closing_line(), "3 passed, 0 failed")

    def test_failures_are_counted_once(self):
        verdict = judge(
            log(
                "ERROR x odoo.addons.a.tests.test_a: FAIL: TestA.test_one",
                "Traceback (most recent call last):",
                "AssertionError: 1 != 2",
                "ERROR x odoo.modules.loading: Module a: 1 failures, 0 errors"
                " of 3 tests",
                "ERROR x odoo.modules.loading: At least one test failed when loading"
                " the modules.",
                "ERROR x odoo.tests.result: 1 failed, 0 error(s) of 3 tests when"
                " loading database 'x'",
            )
        )
        self.assertEqual((verdict.passed, verdict.failed), (2, 1))
        self.assertEqual(verdict.problems, [])
        self.assertIn("AssertionError: 1 != 2", verdict.failures[0])

    def test_red_although_every_test_passed(self):
        cases = {
            "skipped: TestA.test_one: no browser": "INFO x odoo.addons.a.tests.test_a:"
            " skipped TestA.test_one : no browser",
            "WARNING in the log, odoo.fields: x": "WARNING x odoo.fields: x",
            "ERROR in the log, odoo.sql_db: failed": "ERROR x odoo.sql_db: failed",
            "CRITICAL in the log, odoo: gone": "CRITICAL ? odoo: gone",
        }
        for problem, line in cases.items():
            with self.subTest(problem=problem):
                verdict = judge(log(line, f"INFO x {RESULT}"))
                self.assertFalse(verdict.green)
                self.assertEqual(verdict.problems, [problem])
                self.assertEqual(verdict.closing_line(), "3 passed, 1 failed")

    def test_no_test_ran(self):
        line = RESULT.replace("of 3 tests", "of 0 tests")
        verdict = judge(log(f"INFO x {line}"))
        self.assertEqual(verdict.problems, ["no test ran"])
        self.assertEqual(verdict.closing_line(), "0 passed, 1 failed")

    def test_a_run_that_died_is_red(self):
        for lines in ([], log("INFO x odoo.modules: loading"), ["Traceback ..."]):
            with self.subTest(lines=lines):
                verdict = judge(lines)
                self.assertEqual(verdict.problems, ["Odoo ended without a test result"])

    def test_an_error_outside_the_tests_never_gives_negative_counts(self):
        line = RESULT.replace("0 error(s) of 3", "5 error(s) of 3")
        verdict = judge(log(f"ERROR x {line}"))
        self.assertEqual((verdict.passed, verdict.failed), (0, 5))

    def test_only_a_listed_warning_is_allowed(self):
        allowed = (("odoo.fields", r"known \d+$", "a reason"),)
        cases = {
            "WARNING x odoo.fields: known 1": True,
            "WARNING x odoo.fields: known 1 and more": False,
            "WARNING x odoo.models: known 1": False,
            "ERROR x odoo.fields: known 1": False,
        }
        for line, green in cases.items():
            with self.subTest(line=line):
                verdict = judge(log(line, f"INFO x {RESULT}"), allowed)
                self.assertEqual(verdict.green, green)

    def test_lines_before_the_first_message_are_no_message(self):
        lines = ["Running as user 'root' is a security risk.", *log("INFO x a: b", "c")]
        (entry,) = entries(lines)
        self.assertEqual((entry.message, entry.more), ("b", ["c"]))


class TestJudgeUnittest(unittest.TestCase):
    def test_outputs(self):
        cases = (
            ("Ran 4 tests in 0.1s\n\nOK", 0, 4, 0, 0),
            ("Ran 4 tests in 0.1s\n\nFAILED (failures=1, errors=2)", 1, 1, 3, 0),
            ("Ran 4 tests in 0.1s\n\nOK (skipped=1)", 0, 3, 0, 1),
            ("Ran 4 tests in 0.1s\n\nFAILED (failures=1, skipped=1)", 1, 2, 1, 1),
            ("Ran 0 tests in 0.0s\n\nNO TESTS RAN", 5, 0, 0, 2),
            ("ImportError: no such folder", 1, 0, 0, 1),
        )
        for output, code, passed, failed, problems in cases:
            with self.subTest(output=output):
                verdict = judge_unittest("x", output, code)
                self.assertEqual(
                    (verdict.passed, verdict.failed, len(verdict.problems)),
                    (passed, failed, problems),
                )


class TestVerdict(unittest.TestCase):
    def test_parts_add_up(self):
        total = Verdict(2, 0) + Verdict(3, 1, ["x"], ["y"])
        self.assertEqual(total.closing_line(), "5 passed, 2 failed")

    def test_nothing_at_all_is_red(self):
        self.assertFalse(Verdict().green)
        self.assertEqual(Verdict().closing_line(), "0 passed, 1 failed")
