"""The first test of `./fcb test`: is this `sale_subscription` one we can work with?

Everything else that is tested builds on it, and fails in ways that do not tell the
reason. So nothing else is tested when this fails.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .errors import ProvisioningError
from .odoo_log import Verdict, judge
from .progress import Progress
from .settings import DROP_IN, HERE, REPO

TESTS = sorted((REPO / "tests" / "house").glob("test_conformance_*.py"))
SCRIPT = HERE / "conformance_shell.py"
TOLD = re.compile(r"^FCB_(FOLDER|VERSION) (.*)$", re.MULTILINE)
# "AssertionError: what was found : what our test says of it"
ASSERTION = re.compile(r"AssertionError: (?P<detail>.*) : (?P<point>.+)", re.DOTALL)
TITLE = re.compile(r"(?:FAIL|ERROR): (?:Subtest )?(?P<test>\S+)")


def check(
    shell: Sequence[str | Path], env: dict[str, str], log: Path, progress: Progress
) -> Verdict:
    """Run the conformance test; when it fails, one text says it all.

    :param shell: command of an `odoo shell` on the database to be used, where
        `sale_subscription` is installed if it is not
    """
    with progress.phase(f"Conformance of {DROP_IN}") as phase:
        done = subprocess.run(
            [*map(str, shell), "--no-http", "--log-level=info", "--logfile="],
            input=SCRIPT.read_text(encoding="utf-8"),
            env={**env, "FCB_CONFORMANCE": os.pathsep.join(map(str, TESTS))},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            text=True,
            errors="replace",
            check=False,
        )
        log.write_text(done.stdout, encoding="utf-8")
        told = dict(TOLD.findall(done.stdout))
        if done.returncode or "FOLDER" not in told:
            raise ProvisioningError(
                f"The conformance of {DROP_IN} could not be tested.",
                "Nothing else was tested. Read the log; the last error in it is usually"
                " the cause.",
                log,
            )
        verdict = judge(done.stdout.splitlines())
        source = f"{told['FOLDER']}, version {told['VERSION']}"
        outcome = "passed" if verdict.green else "FAILED"
        phase.note(f"{outcome}: {verdict.closing_line()}; {source}")
    if verdict.green:
        return verdict
    # The points say it; a second time, with tracebacks, they would only hide it.
    points = points_of(verdict.failures) or verdict.problems
    text = refusal(source, points, log)
    if verdict.failed:
        return replace(verdict, failures=[f"RED: {text}"], problems=[])
    return replace(verdict, problems=[text])


def points_of(failures: Sequence[str]) -> list[str]:
    """What the failed tests found, one line for each point.

    Tests that could not get as far as their assertion are only counted, where others
    did: those say why.

    :param failures: titles and tracebacks, as in Odoo's log
    """
    points, errors = [], []
    for failure in failures:
        if match := ASSERTION.search(failure):
            detail = match["detail"].strip().splitlines()[0]
            point = match["point"].strip().splitlines()[0]
            plain = detail.endswith(("is not true", "is not false"))
            points.append(point if plain else f"{point}: {detail}")
        else:
            title = TITLE.match(failure)
            last = failure.strip().splitlines()[-1]
            errors.append(f"{title['test']}: {last}" if title else last)
    if points and errors:
        errors = [f"{len(errors)} more tests ended in an error, maybe because of these"]
    return [*dict.fromkeys(points), *errors]


def refusal(source: str, points: Sequence[str], log: Path) -> str:
    """The message for a `sale_subscription` that fails."""
    lines = [
        f"this {DROP_IN} does not meet the interface the addon needs:",
        f"    {source}",
        *(f"  - {point}" for point in points),
        "Nothing else was tested: the addon cannot work on it. What is expected stands"
        f" in {' and '.join(path.relative_to(REPO).as_posix() for path in TESTS)}.",
        f"Its log: {log}",
    ]
    return "\n".join(lines)
