"""One Odoo process that installs modules and runs their tests."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from . import chromium
from .odoo_log import FAILED, LINE, Verdict, judge
from .progress import Phase, Progress
from .server import HOST, free_port
from .settings import TESTS_NEED


@dataclass
class Plan:
    """What one Odoo run tests and how it is started."""

    command: list[str]
    env: dict[str, str]
    database: str
    modules: list[str]
    tags: str
    folders: dict[str, Path]
    log: Path
    flags: list[str] = field(default_factory=list)
    title: str = "Odoo tests"


def all_of(plan: Plan) -> str:
    """The tags of every test of its modules."""
    return ",".join(f"/{module}" for module in plan.modules)


def run_odoo_tests(plan: Plan, progress: Progress, no_browser: bool) -> Verdict:
    """One Odoo process that installs the modules and runs their tests."""
    verdict = Verdict()
    tags = plan.tags or all_of(plan)
    folders = [plan.folders[m].resolve() for m in plan.modules if m in plan.folders]
    in_browser = chromium.browser_tests(folders)
    path = plan.env.get("PATH", "")
    with tempfile.TemporaryDirectory(prefix="fcb-test-") as temporary:
        if in_browser and no_browser:
            progress.say(f"    --no-browser leaves out: {', '.join(in_browser)}")
            tags += f",-{chromium.TAG}"
        elif in_browser:
            browser = chromium.get(progress, plan.log.with_name("chromium.log"))
            if browser:
                path = f"{_browser_folder(Path(temporary), browser)}:{path}"
            else:
                tags += f",-{chromium.TAG}"
                verdict.problems.append(
                    f"no Chromium, so these were left out: {', '.join(in_browser)}"
                    " (accept that with --no-browser)"
                )
        modules = ",".join(plan.modules)
        needed = [name for m in plan.modules for name in TESTS_NEED.get(m, ())]
        command = [
            *(*plan.command, "-d", plan.database, *plan.flags),
            # -u too: a module the database already has would not be tested otherwise
            *("-i", ",".join([*plan.modules, *needed]), "-u", modules),
            *("--test-tags", tags, "--stop-after-init"),
            *("--http-interface", HOST, "--http-port", str(free_port())),
            *("--gevent-port", str(free_port())),
            *("--max-cron-threads=0", "--workers=0", "--log-level=info", "--logfile="),
        ]
        # TMPDIR: browser profiles and their leftovers go away with the run
        env = {**plan.env, "PATH": path, "TMPDIR": temporary}
        with progress.phase(f"{plan.title}: {', '.join(plan.modules)}") as phase:
            code = _stream(command, env, plan.log, phase, progress)
            with plan.log.open(encoding="utf-8", errors="replace") as lines:
                verdict += judge(lines)
            phase.note(f"{verdict.passed} passed, {verdict.failed} failed")
    if code and not verdict.failed and not verdict.problems:
        verdict.problems.append(f"Odoo ended with exit code {code}")
    progress.say(f"    Odoo's log: {plan.log}")
    return verdict


def _browser_folder(temporary: Path, browser: Path) -> Path:
    """A folder for PATH with the browser under a name that Odoo looks for first."""
    folder = temporary / "bin"
    folder.mkdir()
    (folder / "google-chrome").symlink_to(browser)
    return folder


def _stream(
    command: list[str], env: dict, log: Path, phase: Phase, progress: Progress
) -> int:
    """Run Odoo, keep its log, and show how far it is and what fails."""
    tests = 0
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=log.parent,
        text=True,
        errors="replace",
    )
    try:
        with log.open("w", encoding="utf-8") as stream:
            for line in process.stdout:
                stream.write(line)
                match = LINE.match(line)
                if not match:
                    continue
                message = match["message"]
                if message.startswith("Starting Test"):
                    tests += 1
                    phase.status = f"{tests} tests started"
                elif match["level"] == "ERROR" and FAILED.match(message):
                    progress.say(f"    {message}")
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
