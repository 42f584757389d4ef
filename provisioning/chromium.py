"""Chromium for the browser tests, and which tests those are."""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from . import debian
from .errors import ProvisioningError
from .process import clean_env, run
from .progress import Progress

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TAG = "fcb_browser"
CALLS = ("start_tour", "browser_js")


def find() -> Path | None:
    """The browser named by FCB_CHROMIUM, or the first on PATH.

    Raises ProvisioningError when FCB_CHROMIUM names no program.
    """
    named = os.environ.get("FCB_CHROMIUM")
    if named:
        if not shutil.which(named):
            raise ProvisioningError(
                f"FCB_CHROMIUM={named} is not a program.", "Correct or unset it."
            )
        return Path(shutil.which(named)).absolute()
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def get(progress: Progress, log: Path) -> Path | None:
    """Find Chromium, or install Debian's as root; None (and it says why) if neither."""
    browser = find()
    if browser:
        return browser
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        progress.say(
            "    Chromium is missing. Install it (as root: apt-get install chromium),"
            " or set FCB_CHROMIUM to a Chrome, to run the browser tests."
        )
        return None
    try:
        with progress.phase("Chromium: apt-get install"):
            _install(log)
    except (ProvisioningError, debian.NotAvailable) as error:
        progress.say(f"    Chromium cannot be installed: {error}. See {log}")
    return find()


def _install(log: Path) -> None:
    env = clean_env(DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
    try:
        run(install, what="apt-get install chromium", env=env, log=log)
    except ProvisioningError:
        # No package lists yet, or old ones. A third-party source that fails makes the
        # update fail, though Debian's own lists are fine: only the install counts.
        try:
            run(["apt-get", "update", "-q"], what="apt-get update", env=env, log=log)
        except ProvisioningError:
            pass
        run(install, what="apt-get install chromium", env=env, log=log)


def browser_tests(folders: Iterable[Path]) -> list[str]:
    """Test classes that need a browser: those tagged `fcb_browser`, as file::Class."""
    return [
        f"{path.name}::{node.name}"
        for path, node in _classes(folders)
        if TAG in _tags(node)
    ]


def untagged_browser_tests(folders: Iterable[Path]) -> list[str]:
    """Test classes that drive a browser without the tag: --no-browser misses them."""
    return [
        f"{path}: class {node.name} drives a browser but lacks @tagged({TAG!r})"
        for path, node in _classes(folders)
        if TAG not in _tags(node) and _drives_browser(node)
    ]


def _classes(folders: Iterable[Path]):
    for folder in folders:
        for path in sorted(folder.glob("tests/**/test_*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    yield path, node


def _tags(node: ast.ClassDef) -> set[str]:
    return {
        argument.value
        for call in node.decorator_list
        if isinstance(call, ast.Call)
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def _drives_browser(node: ast.ClassDef) -> bool:
    return any(
        isinstance(part, ast.Attribute) and part.attr in CALLS
        for part in ast.walk(node)
    )
