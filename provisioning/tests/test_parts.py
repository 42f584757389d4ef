"""Parts of `./fcb test`: when each runs, and what it makes of what it found."""

import argparse
import io
import unittest
from pathlib import Path
from unittest.mock import patch

from .. import conformance, systemrun, testrun
from ..progress import Progress
from ..settings import ADDON, DROP_IN


class TestPoints(unittest.TestCase):
    """The lines that say in what a sale_subscription differs."""

    TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in test\n'

    def points(self, *failures):
        return conformance.points_of(
            [f"{title}\n{self.TRACEBACK}{error}" for title, error in failures]
        )

    def test_what_was_found_and_what_it_is_about(self):
        cases = {
            "AssertionError: None is not true : a.b: there is no such field": (
                "a.b: there is no such field"
            ),
            "AssertionError: '6_churn' != '3_progress'\n- 6\n+ 3\n : the state": (
                "the state: '6_churn' != '3_progress'"
            ),
            "AssertionError: Lists differ: ['a : b'] != []\n\nmore : the list": (
                "the list: Lists differ: ['a : b'] != []"
            ),
        }
        for error, point in cases.items():
            with self.subTest(point):
                self.assertEqual(self.points(("FAIL: A.test", error)), [point])

    def test_a_point_is_named_once(self):
        error = ("FAIL: A.test", "AssertionError: None is not true : one")
        self.assertEqual(self.points(error, error), ["one"])

    def test_errors_are_counted_beside_points(self):
        """One missing field ends dozens of tests, and none of them says which."""
        point = ("FAIL: Subtest A.test [x]", "AssertionError: 1 is not false : one")
        error = ("ERROR: B.test", "KeyError: 'x'")
        self.assertEqual(
            self.points(point, error, error),
            ["one", "2 more tests ended in an error, maybe because of these"],
        )

    def test_errors_alone_are_named(self):
        error = ("ERROR: B.test_it", "KeyError: 'x'")
        self.assertEqual(self.points(error), ["B.test_it: KeyError: 'x'"])

    def test_message(self):
        text = conformance.refusal("/there, version 1", ["one", "two"], Path("a.log"))
        first, *lines = text.splitlines()
        self.assertIn("does not meet the interface", first)
        for line in ("    /there, version 1", "  - one", "  - two", "Its log: a.log"):
            self.assertIn(line, lines)


class TestWhatRuns(unittest.TestCase):
    def options(self, *argv):
        parser = argparse.ArgumentParser()
        testrun.add_arguments(parser)
        return parser.parse_args(argv)

    def test_conformance(self):
        cases = (
            ((), [ADDON, DROP_IN], True),
            (("--no-system",), [ADDON], True),
            ((DROP_IN,), [DROP_IN], True),
            (("other",), ["other"], False),
            (("--test-tags", "/x"), [ADDON, DROP_IN], False),
        )
        for argv, modules, expected in cases:
            with self.subTest(argv=argv):
                options = self.options(*argv)
                self.assertEqual(testrun.wants_conformance(options, modules), expected)

    def test_system_tests(self):
        cases = (
            ((), [ADDON, DROP_IN], True),
            (("--no-system",), [ADDON, DROP_IN], False),
            # Enterprise's is not ours to test
            ((), [ADDON], False),
            ((DROP_IN,), [DROP_IN], False),
            (("--test-tags", "/x"), [ADDON, DROP_IN], False),
        )
        for argv, modules, expected in cases:
            with self.subTest(argv=argv):
                wants = testrun.wants_system_tests(
                    self.options(*argv), modules, Progress(io.StringIO())
                )
                self.assertEqual(wants, expected)

    def test_the_browser_has_a_run_of_its_own(self):
        plan = testrun.Plan(
            ["odoo"], {}, "trial", [ADDON, DROP_IN], "", {}, Path("logs/test.log")
        )
        cases = (
            ((), True, ["trial", "trial_browser"]),
            ((), False, ["trial"]),
            (("--no-browser",), True, ["trial"]),
            (("--test-tags", "/x"), True, ["trial"]),
            ((DROP_IN,), True, ["trial"]),
        )
        for argv, has_browser, databases in cases:
            with (
                self.subTest(argv=argv, has_browser=has_browser),
                patch.object(testrun.chromium, "get", return_value=has_browser),
            ):
                plans = testrun.split(plan, Progress(), self.options(*argv))
                self.assertEqual([p.database for p in plans], databases)
        with patch.object(testrun.chromium, "get"):
            rest, browser = testrun.split(plan, Progress(), self.options())
        both = f"/{ADDON},/{DROP_IN}"
        self.assertEqual(rest.tags, f"{both},-fcb_browser")
        self.assertEqual(browser.tags, f"fcb_browser/{ADDON},fcb_browser/{DROP_IN}")
        self.assertEqual(browser.log, Path("logs/test_browser.log"))

    def test_modules_beside_other_apps_have_a_run_of_their_own(self):
        community = Path("repo/community")
        folders = {
            name: community / name for name in (DROP_IN, "sale_subscription_app")
        } | {ADDON: Path("links") / ADDON}
        plan = testrun.Plan(
            ["odoo"], {}, "trial", [ADDON, DROP_IN], "", folders, Path("logs/test.log")
        )
        [apps] = testrun.beside_apps(plan, self.options())
        self.assertEqual(apps.modules, ["sale_subscription_app"])
        self.assertEqual(apps.database, "trial_apps")
        self.assertEqual(testrun.all_of(apps), "/sale_subscription_app")
        for argv in ((DROP_IN,), ("--test-tags", "/x")):
            self.assertEqual(testrun.beside_apps(plan, self.options(*argv)), [])
        del folders["sale_subscription_app"]
        self.assertEqual(testrun.beside_apps(plan, self.options()), [])

    def test_names_of_trial_databases(self):
        for name in ("fcb_trial_12", "fcb_trial_12_base", "fcb_trial_12_testrace_x"):
            with self.subTest(name):
                self.assertEqual(testrun.TRIAL_NAME.match(name)[1], "12")
        for name in ("fcb_trial_", "fcb_trial_mine", "fcb_trial_12x", "fcb_demo"):
            with self.subTest(name):
                self.assertIsNone(testrun.TRIAL_NAME.match(name))


class TestSystemVerdict(unittest.TestCase):
    """What unittest says of a class, in our counts."""

    def judge(self, case):
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
        return systemrun._judge("Title", result)

    def test_counts(self):
        class Case(unittest.TestCase):
            def test_good(self):
                pass

            def test_bad(self):
                self.fail("why")

            def test_parts(self):
                for number in range(3):
                    with self.subTest(number):
                        self.assertEqual(number, 1)

        verdict = self.judge(Case)
        # one test passed; one failure, and two of the third test
        self.assertEqual((verdict.passed, verdict.failed), (1, 3))
        self.assertIn("why", "".join(verdict.failures))

    def test_an_error_before_the_tests(self):
        class Case(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                raise ValueError("no database")

            def test_good(self):
                pass

        verdict = self.judge(Case)
        self.assertEqual((verdict.passed, verdict.failed), (0, 1))
        self.assertIn("no database", verdict.failures[0])

    def test_skipped_is_red(self):
        class Case(unittest.TestCase):
            def test_good(self):
                self.skipTest("today")

        verdict = self.judge(Case)
        self.assertEqual((verdict.passed, verdict.failed), (0, 0))
        self.assertEqual(len(verdict.problems), 1)
