"""Judging the log of an Odoo test run. Odoo's exit code does not tell about skipped
tests, about a run that found no tests, or about warnings and errors logged beside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .allowed_warnings import ALLOWED

LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ "
    r"(?P<level>[A-Z]+) (?P<db>\S+) (?P<logger>\S+?): (?P<message>.*)$"
)
RESULT = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")
SKIPPED = re.compile(r"skipped (?P<test>\S+) : (?P<reason>.*)")
# How Odoo reports a test that did not pass; already in the counts of the result line.
FAILED = re.compile(r"(?:FAIL|ERROR): (?P<test>.+)")
COUNTED = re.compile(
    r"Module \S+: \d+ failures, \d+ errors of \d+ tests"
    r"|At least one test failed when loading the modules"
)
BAD_LEVELS = ("WARNING", "ERROR", "CRITICAL")


@dataclass
class Entry:
    """One log message with the lines that follow it (a traceback, mostly)."""

    level: str
    logger: str
    message: str
    more: list[str] = field(default_factory=list)

    def text(self, limit: int = 20) -> str:
        lines = [self.message, *self.more]
        cut = ["..."] if len(lines) > limit else []
        return "\n".join([*lines[:limit], *cut])


@dataclass
class Verdict:
    """What a run came to. `problems` has one text for each reason to be red that is
    not a failed test."""

    passed: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def green(self) -> bool:
        return not self.failed and not self.problems and self.passed > 0

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.passed + other.passed,
            self.failed + other.failed,
            self.failures + other.failures,
            self.problems + other.problems,
        )

    def closing_line(self) -> str:
        """The plain last line. Whatever makes a run red counts as failed, so that
        "0 failed" is never read on a red run."""
        failed = self.failed + len(self.problems)
        if not failed and not self.passed:
            failed = 1
        return f"{self.passed} passed, {failed} failed"


def entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Split a log into messages; lines before the first one are dropped."""
    current: Entry | None = None
    for line in lines:
        text = line.rstrip("\n")
        if match := LINE.match(text):
            if current:
                yield current
            current = Entry(match["level"], match["logger"], match["message"])
        elif current:
            current.more.append(text)
    if current:
        yield current


def judge(lines: Iterable[str], allowed: Sequence = ALLOWED) -> Verdict:
    """Verdict on the log of one `odoo --test-tags` run."""
    verdict = Verdict()
    result = None
    for entry in entries(lines):
        if entry.logger == "odoo.tests.result" and RESULT.search(entry.message):
            result = RESULT.search(entry.message)
        elif match := SKIPPED.match(entry.message):
            verdict.problems.append(f"skipped: {match['test']}: {match['reason']}")
        elif entry.level not in BAD_LEVELS:
            continue
        elif FAILED.match(entry.message):
            verdict.failures.append(entry.text(60))
        elif not COUNTED.match(entry.message) and not _is_allowed(entry, allowed):
            verdict.problems.append(
                f"{entry.level} in the log, {entry.logger}: {entry.text()}"
            )
    if not result:
        verdict.problems.append("Odoo ended without a test result")
        return verdict
    failures, errors, total = (int(number) for number in result.groups())
    # an error outside a test method (setUpClass) is not among the tests that ran
    verdict.failed = failures + errors
    verdict.passed = max(total - verdict.failed, 0)
    if not total:
        verdict.problems.append("no test ran")
    return verdict


def _is_allowed(entry: Entry, allowed: Sequence) -> bool:
    return entry.level == "WARNING" and any(
        entry.logger == logger and re.match(pattern, entry.message)
        for logger, pattern, _reason in allowed
    )


UNIT_RAN = re.compile(r"^Ran (\d+) tests?", re.MULTILINE)
UNIT_COUNT = re.compile(r"(failures|errors|skipped|unexpected successes)=(\d+)")


def judge_unittest(name: str, output: str, exit_code: int) -> Verdict:
    """Verdict on the output of `python -m unittest` (without Odoo)."""
    verdict = Verdict()
    ran = UNIT_RAN.search(output)
    if not ran:
        text = "\n".join(output.strip().splitlines()[-15:])
        verdict.problems.append(f"{name}: the tests did not run:\n{text}")
        return verdict
    last = output.strip().splitlines()[-1]
    counts = {kind: int(number) for kind, number in UNIT_COUNT.findall(last)}
    verdict.failed = sum(n for kind, n in counts.items() if kind != "skipped")
    skipped = counts.get("skipped", 0)
    verdict.passed = max(int(ran[1]) - verdict.failed - skipped, 0)
    if verdict.failed or exit_code:
        verdict.failures.append(f"{name}:\n{output.strip()[-4000:]}")
    if exit_code and not verdict.failed:
        verdict.problems.append(f"{name}: exit code {exit_code}")
    if skipped:
        verdict.problems.append(f"{name}: {skipped} skipped")
    if not int(ran[1]):
        verdict.problems.append(f"{name}: no test ran")
    return verdict
