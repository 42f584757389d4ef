"""The linters, at pinned versions, in their own environment."""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from . import clients, python_env
from .cache import prepare_cache
from .chromium import untagged_browser_tests
from .lock import exclusive
from .odoo_log import Verdict
from .process import clean_env
from .progress import Progress
from .settings import Settings

# Package registries are the machine's business (pip.conf, apt sources): naming one
# here would break every network that has its own.
HOSTS = re.compile(
    r"(?<![\w.-])(?:deb\.debian\.org|(?:ftp\.)?\w+\.debian\.org/debian"
    r"|pypi\.org|files\.python[h]osted\.org|registry\.npmjs\.org)",
)
MACHINE_PATHS = re.compile(r"(?<![\w/.])/(?:work|root|home/\w+)/[\w.]")
TEXT_SUFFIXES = {
    *("", ".cfg", ".conf", ".csv", ".html", ".ini", ".js", ".json", ".md", ".po"),
    *(".pot", ".py", ".rst", ".scss", ".sh", ".sql", ".toml", ".txt", ".xml", ".yml"),
}
# holds the patterns themselves, and examples of them
EXEMPT = ("provisioning/linting.py", "provisioning/tests/test_linting.py")


def main(_options: argparse.Namespace) -> int:
    """`./fcb lint`: one line for each check, its findings below."""
    progress = Progress()
    verdict = run_all(Settings.from_environment(), progress)
    for problem in verdict.failures:
        print(problem)
    print(verdict.closing_line())
    return 0 if verdict.green else 1


def run_all(settings: Settings, progress: Progress) -> Verdict:
    """Every check on the tracked files; each counts as one passed or failed."""
    prepare_cache(settings)
    with (
        exclusive(settings.cache / "lock", progress, "provisioning"),
        progress.phase("Linters: packages") as phase,
    ):
        requirements = python_env.LINT_REQUIREMENTS
        python = python_env.get_venv(settings, requirements, phase, "lint-packages")
        typed = clients.get_python(settings, phase)
    files = tracked_files(settings.repo)
    bindir = python.parent
    checks: dict[str, Callable[[], str]] = {
        "ruff check": lambda: _call(settings, [bindir / "ruff", "check", "."]),
        "ruff format": lambda: _call(
            settings, [bindir / "ruff", "format", "--check", "--diff", "."]
        ),
        "pylint-odoo": lambda: _pylint(settings, bindir / "pylint"),
        "mypy": lambda: clients.check_types(settings, typed),
        "shell syntax": lambda: _shell(settings, files),
        "no machine's names": lambda: "\n".join(find_names(settings.repo, files)),
        "browser tests are tagged": lambda: "\n".join(
            untagged_browser_tests(_modules(settings.repo))
        ),
    }
    verdict = Verdict()
    for name, check in checks.items():
        with progress.phase(f"Lint: {name}") as phase:
            findings = check()
            phase.note("findings" if findings else "clean")
        if findings:
            verdict += Verdict(failed=1, failures=[f"{name}:\n{findings}"])
        else:
            verdict += Verdict(passed=1)
    return verdict


def tracked_files(repo: Path) -> list[Path]:
    """Files in git or about to be; all files where there is no git."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard"],
        cwd=repo,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return [repo / name for name in done.stdout.split("\0") if name]
    hidden = {".git", "__pycache__"}
    return [p for p in repo.rglob("*") if p.is_file() and not hidden & {*p.parts}]


def find_names(repo: Path, files: list[Path]) -> list[str]:
    """Places that name a package registry or a path of somebody's machine."""
    found = []
    for path in files:
        name = path.relative_to(repo).as_posix()
        if name in EXEMPT or path.suffix not in TEXT_SUFFIXES or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if match := HOSTS.search(line) or MACHINE_PATHS.search(line):
                found.append(f"{name}:{number}: {match.group(0)}")
    return found


def _modules(repo: Path) -> list[Path]:
    return [repo, *(p.parent for p in repo.glob("community/*/__manifest__.py"))]


def _call(settings: Settings, argv: list) -> str:
    """Empty when the program succeeds, else what it printed."""
    done = subprocess.run(
        [str(part) for part in argv],
        cwd=settings.repo,
        env=clean_env(
            RUFF_CACHE_DIR=str(settings.cache / "ruff"),
            PYLINTHOME=str(settings.cache / "pylint"),
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return ""
    return (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"


def _pylint(settings: Settings, pylint: Path) -> str:
    """The addons only; pylint-odoo judges each module by its manifest."""
    command = [pylint, f"--rcfile={settings.repo / '.pylintrc'}"]
    findings = []
    for module in _modules(settings.repo):
        if not (module / "__init__.py").exists():
            continue
        # The paths left out are folders of the root, where the nested module lies.
        everything = [] if module == settings.repo else ["--ignore-paths=^$"]
        findings.append(_call(settings, [*command, *everything, module]))
    return "\n".join(filter(None, findings))


def _shell(settings: Settings, files: list[Path]) -> str:
    findings = []
    for path in files:
        if not path.is_file() or path.suffix not in ("", ".sh"):
            continue
        with path.open("rb") as stream:
            first = stream.readline()
        shell = "bash" if b"bash" in first else "sh"
        if first.startswith(b"#!") and first.rstrip().endswith(b"sh"):
            findings.append(_call(settings, [shell, "-n", path]))
    return "\n".join(filter(None, findings))
