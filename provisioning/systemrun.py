"""Runs the system tests: what one process with one transaction cannot show.

They lie in system_tests/, as ordinary unittest classes that find the workspace in
`SystemCase.workspace`. Each class has databases of its own, so that two classes can run
side by side.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import unittest
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from .odoo_log import Verdict
from .settings import REPO
from .workspace import Workspace

FOLDER = "system_tests"
SIDE_BY_SIDE = 2


def names() -> list[str]:
    """The test files."""
    return sorted(path.stem for path in (REPO / FOLDER).glob("test_*.py"))


@contextlib.contextmanager
def jobs(
    workspace: Workspace, base: str, prefix: str, only: str = ""
) -> Iterator[list[Callable[[], Verdict]]]:
    """The system tests, each class a job that can run beside the others.

    :param base: database that has `sale_subscription` installed; copied, not changed
    :param prefix: what the names of the tests' databases begin with
    :param only: the classes whose name contains this
    """
    case = importlib.import_module(f"{FOLDER}.common").SystemCase
    case.workspace, case.base, case.prefix = workspace, base, prefix
    suites = [s for s in _suites() if only.lower() in _title(s).lower()]
    # the longest first, so that no long one is left alone at the end
    suites.sort(key=lambda suite: -_first(suite).seconds)
    try:
        yield [functools.partial(_run, workspace, suite) for suite in suites]
    finally:
        case.drop_shared_databases()


def run_side_by_side(jobs: Iterable[Callable[[], Verdict]]) -> Verdict:
    """Run jobs, begun in this order, a few at a time: much of each is waiting."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return sum(pool.map(lambda job: job(), jobs), Verdict())


def _suites() -> Iterator[unittest.TestSuite]:
    """One suite for each test class."""
    for name in names():
        module = importlib.import_module(f"{FOLDER}.{name}")
        for suite in unittest.defaultTestLoader.loadTestsFromModule(module):
            if suite.countTestCases():
                yield suite


def _first(suite: unittest.TestSuite) -> unittest.TestCase:
    return next(iter(suite))


def _title(suite: unittest.TestSuite) -> str:
    return type(_first(suite)).__name__


def _run(workspace: Workspace, suite: unittest.TestSuite) -> Verdict:
    result = unittest.TestResult()
    title = _title(suite)
    with workspace.phase(f"System test {title}") as phase:
        suite.run(result)
        verdict = _judge(title, result)
        phase.note(verdict.closing_line())
    for failure in verdict.failures:
        workspace.say(f"    {failure.splitlines()[0]}")
    return verdict


def _judge(title: str, result: unittest.TestResult) -> Verdict:
    bad = [*result.failures, *result.errors]
    # of a test with subtests each is listed; setUpClass is no test that ran
    tests = {getattr(test, "test_case", test) for test, _text in bad}
    ran = [test for test in tests if isinstance(test, unittest.TestCase)]
    return Verdict(
        passed=max(result.testsRun - len(ran) - len(result.skipped), 0),
        failed=len(bad),
        failures=[f"{title}: {test}:\n{text.strip()}" for test, text in bad],
        problems=[f"skipped: {test}: {reason}" for test, reason in result.skipped],
    )
