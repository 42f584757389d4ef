"""Runs the tests of one folder that need no Odoo."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .odoo_log import Verdict, judge_unittest
from .process import clean_env
from .progress import Progress
from .settings import Settings


def run_folder(
    settings: Settings,
    progress: Progress,
    name: str,
    top: str = ".",
    python: Path | str = sys.executable,
    env: Mapping[str, str] | None = None,
) -> Verdict:
    """Run a folder's tests in a process of their own; returns what they came to.

    :param name: the folder, from the repository's root
    :param top: the folder that its modules are imported from
    :param env: variables beside this process's own
    """
    with progress.phase(f"Tests without Odoo: {name}") as phase:
        done = subprocess.run(
            [str(python), "-m", "unittest", "discover", "-s", name, "-t", top],
            cwd=settings.repo,
            env=clean_env(**(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        verdict = judge_unittest(name, done.stdout, done.returncode)
        phase.note(verdict.closing_line())
    return verdict
